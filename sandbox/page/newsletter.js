// The newsletter's page: a campaign that asks Optin before it sends, and the events from Optin.

import { listen, readNewsletter, sendCampaign } from './api.js';
import { h, icon, ICONS } from './dom.js';
import { eventRow } from './newsletter_events.js';
import { moment } from './newsletter_time.js';
import { toast } from './toast.js';

const MEDIA = [['sms', 'Text'], ['email', 'E-mail']];
// The gates of Optin's API, as this company calls them.
const GATES = {
  opted_out: 'Opted out', never_asked: 'Never asked', carrier_block: 'Blocked by the carrier', bounced: 'Bounced',
  complaint: 'Reported as spam', no_address: 'No address', invalid_address: 'Wrong address', suppressed: 'Suppressed',
  review_hold: 'A reply to read', do_not_contact: 'Do not contact', erased: 'Erased', block_unknown: 'Block unknown',
  probation: 'Not proven', error: 'Not understood',
};
const OWNERS = { contact: 'Contact', agent: 'Agent', manager: 'Manager', operator: 'Operator' };

const get = (id) => document.getElementById(id);
const rows = new Map();
let state = null;
let medium = 'sms';
let busy = false;
let again = false;

async function refresh() {
  if (busy) { again = true; return; }
  busy = true;
  try {
    state = await readNewsletter();
    draw();
  } catch (problem) {
    toast(problem.message, 'wrong');
  }
  busy = false;
  if (again) { again = false; refresh(); }
}

function draw() {
  const shown = state.media[medium];
  drawMedia();
  get('preview').replaceChildren(
    h('div', { class: 'draft' }, shown.subject && h('strong', {}, shown.subject), h('p', {}, shown.body)));
  get('send').disabled = running() || !shown.subscribers.length;
  drawResult(shown);
  get('list-title').textContent = `Subscribers (${shown.subscribers.length})`;
  get('subscribers').replaceChildren(...shown.subscribers.map((one) => kept(`subscriber ${medium}`, one.id, { ...one, state: shown.campaign?.state }, subscriber)));
  const { events } = state;
  const verified = events.filter((one) => one.verified).length;
  get('events-count').textContent = events.length ? `${verified} verified, ${events.length - verified} not verified` : '';
  get('events').replaceChildren(...(events.length
    ? events.map((one) => kept('event', one.number, one, eventRow))
    : [h('li', { class: 'nothing' }, 'Change a contact in Slack: the event arrives here.')]));
}

// A row is drawn again only when it changed, so that what is open in it stays open.
function kept(kind, id, data, make) {
  const key = `${kind} ${id}`;
  const signature = JSON.stringify(data);
  const before = rows.get(key);
  if (before?.signature === signature) return before.node;
  const node = make(data);
  rows.set(key, { signature, node });
  return node;
}

function drawMedia() {
  const focus = get('media').contains(document.activeElement) ? document.activeElement.dataset.medium : null;
  get('media').replaceChildren(...MEDIA.map(([value, name]) => h('button', {
    type: 'button', 'aria-pressed': String(value === medium), dataset: { medium: value },
    onclick: () => { medium = value; draw(); },
  }, name)));
  if (focus) get('media').querySelector(`[data-medium="${focus}"]`).focus();
}

function running() {
  return Object.values(state.media).some((one) => ['asking', 'sending'].includes(one.campaign?.state));
}

function drawResult({ campaign }) {
  const node = get('result');
  node.classList.toggle('failed-campaign', campaign?.state === 'failed');
  if (!campaign) node.textContent = 'Nothing is sent yet.';
  else if (campaign.state === 'asking') node.textContent = 'Asking Optin…';
  else if (campaign.state === 'sending') node.textContent = 'Sending…';
  else if (campaign.state === 'failed') node.textContent = campaign.problem;
  else node.textContent = `${campaign.counts.sent ?? 0} sent, ${campaign.counts.held ?? 0} held back, ${moment(campaign.at)}`;
}

function subscriber({ name, address, held, copy, state: campaign }) {
  const sent = copy?.state === 'sent' && !held;
  return h('li', { class: held ? 'held' : sent ? 'sent' : '' },
    h('div', { class: 'person' }, h('strong', { dir: 'auto' }, name), h('bdi', { class: 'address' }, address)),
    h('div', { class: 'outcome-of' },
      held ? heldBack(held) : sent ? wentOut(copy) : h('span', { class: 'faint' }, !copy ? 'No message yet' : campaign === 'failed' ? 'Not sent' : 'Waiting…'),
      // What went out before the contact opted out.
      held && copy?.state === 'sent' && h('small', {}, 'The last message went out before.')));
}

function wentOut({ status, problem }) {
  return h('span', { class: 'pill good' }, icon(ICONS.check), 'Sent', status && h('small', {}, [status, problem].filter(Boolean).join(': ')));
}

function heldBack({ since, event, reasons }) {
  return [
    h('span', { class: 'pill stop' }, icon(ICONS.block), `Held back since ${moment(since)}`),
    reasons.length
      ? h('ul', { class: 'reasons' }, reasons.map(({ code, remedy, owner }) => h('li', {},
        h('p', {}, h('strong', {}, GATES[code] ?? code), owner && h('span', { class: `badge owner-${owner}`, title: 'Who does it' }, OWNERS[owner] ?? owner)),
        h('p', {}, remedy))))
      : h('p', { class: 'faint' }, event ? 'Optin sent an event. The next check brings the reason.' : 'Optin gave no reason.'),
  ];
}

get('send').addEventListener('click', async () => {
  get('send').disabled = true;
  try {
    await sendCampaign(medium);
  } catch (problem) {
    toast(problem.message, 'wrong');
  }
  refresh();
});

listen('', (change) => { if (change.type === 'newsletter') refresh(); }, (up) => {
  document.body.classList.toggle('offline', !up);
  if (up) refresh();
});
await refresh();
