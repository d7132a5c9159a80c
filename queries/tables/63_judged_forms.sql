/*---
table: judged_forms
view: true
grain: one form of access and one verdict that accesses of this form got; for counting, where events are too many
columns:
  tenant_id: tenant whose data was touched
  form_no: number of the form, as in access_log; good for one publication only
  feed: log that shows it
  app_id: application that called, never the API it called; NULL when the record does not say
  app_name: its display name, chosen by whoever registered it
  access_kind: application (as itself) or delegated (for a user); NULL when the record does not say
  actor_id: object id of the user, or of the service principal for application access
  actor_name: user principal name where known
  workload: mail, calendar, …; NULL when the catalogue does not know the call
  operation: read, write, send or delete; NULL when not known
  endpoint: URL template with method, or the audit operation
  protocol: >-
    how the data was reached: rest (Microsoft Graph too), ews, imap, pop, imap_or_pop (the record does not say which),
    smtp, activesync, mapi or owa; NULL when the record does not say
  permissions: every permission that would allow the call; NULL when not known
  resource_kind: user, group, team or chat
  resource_id: id of the mailbox's or calendar's user, group, team or chat; lower-case, a chat's as written
  resource_name: user principal name where that is what the record says, lower-case
  floor_reason: as in access_events
  ip_address: address of the caller
  country: two-letter code where the record has one
  succeeded: false when the call was refused or failed; NULL when the record does not say
  is_mapped: false when the catalogue knows no such call
  status_code: HTTP status of a Graph call
  accesses: logged accesses of this form with this verdict
  untimed: those whose time could not be read
  first_at: time of the earliest
  last_at: time of the latest
  items: sum of item_count; NULL when no record says any
  verdict: within, outside, not_assessable or out_of_scope
  reasons: why it is not within, in the order of the six dimensions; empty for within and out_of_scope
  record: the consent record that is within or nearest
  process: its process
---*/
SELECT
    f.tenant_id,
    f.form_no,
    f.feed,
    f.app_id,
    f.app_name,
    f.access_kind,
    f.actor_id,
    f.actor_name,
    f.workload,
    f.operation,
    f.endpoint,
    f.protocol,
    f.permissions,
    f.resource_kind,
    f.resource_id,
    f.resource_name,
    f.floor_reason,
    f.ip_address,
    f.country,
    f.succeeded,
    f.is_mapped,
    f.status_code,
    c.accesses,
    c.untimed,
    c.first_at,
    c.last_at,
    c.items,
    a.verdict,
    a.reasons,
    a.record,
    a.process
FROM form_counts AS c
INNER JOIN access_forms AS f ON c.form_no = f.form_no
INNER JOIN verdict_answers AS a ON c.answer_no = a.answer_no
