/*---
id: register-history-changed
version: 1
severity: high
title: "The history of {record} is not what was judged with before"
question: Has anybody changed what was written down about an agreement after the fact?
identity: [record]
needs: []
needs_register: true
evidence: >
  Entries of a consent record that an evaluation was made with and that read otherwise now (changed) or are not there any
  more (vanished), each with its place in the history. An entry between older ones moves those behind it, which shows as
  changed. A renamed file and an entry added at the end are no change. The finding is open until the history is what it
  was: then every judgement can be made again as it was made. That it had been changed stays on record as a resolved
  finding; what was written in between is never taken for the history.
misses: >
  What stands outside of the entries: the list of app ids, names, stop_within. Entries that were changed before the first
  evaluation, or between two of them and back again. A state folder that was lost has no memory.
advice: >
  Restore the entry from the register's own history (git log), and write what has to be put right as a new entry at the
  end. Ask who changed it: a record of processing that can be rewritten proves nothing.
control: [C12-1]
references: ["GDPR Art. 5(2)", "GDPR Art. 7(1)", "GDPR Art. 30(1)", "GDPR Art. 24(1)", "Policy §4"]
---*/
SELECT
    tenant_id,
    cast(NULL AS VARCHAR) AS app_id,
    record,
    'register' AS feed,
    record || '/history[' || entry || ']' AS event_id,
    first_judged_at AS occurred_at,
    [change] AS reasons,
    cast(NULL AS VARCHAR) AS process
FROM register_changes
