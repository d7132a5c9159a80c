/*---
table: access_events
view: true
grain: one logged access
columns:
  tenant_id: tenant whose data was touched
  feed: log that shows it
  event_id: the record's own id (requestId of a Graph call, Id of an audit record)
  occurred_at: event time in UTC, truncated to microseconds; NULL when it could not be read
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
  item_count: >-
    items touched as the record says; NULL when it does not, or when a whole folder was synchronised; a floor, never a total
  floor_reason: >-
    why item_count is only a floor: throttled (the mailbox's log left out what followed for up to a day), sync (a whole
    folder was downloaded); NULL for everything else
  ip_address: address of the caller
  country: two-letter code where the record has one
  succeeded: false when the call was refused or failed; NULL when the record does not say
  origin: graph when the collector was the first to tell of it, import when a file was
  first_seen_at: when the store first got it
  is_mapped: false when the catalogue knows no such call
  status_code: HTTP status of a Graph call
  source_id: file it came from (see sources)
---*/
SELECT
    l.tenant_id,
    l.feed,
    coalesce(l.event_text, l.event_uuid::VARCHAR) AS event_id,
    l.occurred_at,
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
    l.item_count,
    f.floor_reason,
    f.ip_address,
    f.country,
    f.succeeded,
    l.origin,
    l.first_seen_at,
    f.is_mapped,
    f.status_code,
    l.source_id
FROM access_log AS l
INNER JOIN access_forms AS f ON l.form_no = f.form_no
