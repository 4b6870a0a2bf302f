"""The embedded storage: TinyDB, extended by its own Storage and Table so that it can be kept.

`optin.json`             the snapshot, in TinyDB's own JSON format            snapshot.py
`optin.json.journal.7`   what was committed since, a line for each commit     journal.py, change.py
`optin.json.log`         the Activity Log, a line for each entry              log.py
`optin.json.lock`        held by the process that writes                      lock.py
`optin.json.new`         the next snapshot while it is being written          compaction.py

A commit is one line in the journal and one fdatasync (commits.py). In memory the documents are
their JSON (tables.py, index.py, names.py), read and written through records.py; store.py puts
it together. To back it up, copy all of these files while nothing runs.
"""
