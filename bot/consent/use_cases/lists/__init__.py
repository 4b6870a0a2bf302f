"""The providers' suppression lists, kept in step with Optin (rules.md §4).

- `wishes`: what an entry of the log makes Optin want of a list, stored with it.
- `writes`: `claim_writes`, `give_back`: a worker makes the calls; `settle_writes`: `settle_write`,
  what came of each.
- `judge_entries`: which of the entries that a list shows a write is about.
- `reads`: `begin_read`, `take_page`: a whole list, page by page; `finish_reads`: `finish_read`,
  `lift_gone`, what the read did not show.
- `leaving_entries`: what the log says of an entry that Optin takes off.
- `list_state`: `read_state`, `confirm_writes`, `note_problem`: what is kept of one provider.
- `clear_bounces`: the bounces of one's own outage, cleared at once.
"""
