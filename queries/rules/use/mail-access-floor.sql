/*---
id: mail-access-floor
version: 1
severity: low
title: "{app_id}: how much mail it read is known only as a floor ({floor_reason})"
question: Of which apps can nobody say how many messages they read?
identity: [app_id, floor_reason]
needs: [audit_exchange]
evidence: >
  Mail accesses by an app that is not Microsoft's, where Exchange says that it stopped logging the mailbox for up to a day
  because there were too many (throttled), or that a whole folder was downloaded (sync). What stands in item_count is a
  floor, never a total. In a breach assessment: throttled, take every message that the mailbox held that day as read;
  sync, take every message of the folder as read, and as copied.
misses: >
  Records without an app id. Reads through Graph that Exchange's audit did not log at all; Graph activity counts calls,
  never messages. What the folder held at that time.
advice: >
  Never report the listed number as the number of messages. Take the mailbox or folder as a whole into the assessment, and
  ask the processor for its own count. An app that synchronises folders needs an agreement that says so.
control: [C05-3]
references: ["GDPR Art. 33(3)(a)", "GDPR Art. 33(5)", "GDPR Art. 5(2)", "Policy §13"]
---*/
SELECT
    e.tenant_id,
    e.app_id,
    e.floor_reason,
    e.feed,
    e.event_id,
    e.occurred_at,
    [e.floor_reason] AS reasons,
    cast(NULL AS VARCHAR) AS record,
    cast(NULL AS VARCHAR) AS process
FROM access_events AS e
WHERE
    e.floor_reason IS NOT NULL
    AND e.app_id IS NOT NULL
    AND e.succeeded IS DISTINCT FROM FALSE
    AND NOT EXISTS (
        SELECT 1 FROM apps AS a
        WHERE a.tenant_id = e.tenant_id AND a.app_id = e.app_id AND a.is_first_party
    )
