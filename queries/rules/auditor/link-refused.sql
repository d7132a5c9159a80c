/*---
id: link-refused
version: 1
severity: high
title: "An answer tried to send the auditor to {target}"
question: Did anybody try to lead the auditor, and with it its access, to a strange place?
identity: [target]
needs: []
needs_collection: true
evidence: >
  Answers of Microsoft's services, or of something between them and the auditor, that named another place to go on than the
  configuration does: a next page, a content address, a redirect. Nothing was sent there, and what was being read was not read.
misses: >
  Places that the configuration itself names wrongly. An answer that was changed but leads nowhere else.
advice: >
  Find out what stands between the auditor and Microsoft: a proxy, a DNS answer, a certificate authority of one's own. Until
  that is known, treat the token as seen by others: give the auditor a new credential.
control: [C07-6]
references: ["GDPR Art. 32(1)(b)", "GDPR Art. 33(1)", "Policy §7", "Policy §13"]
---*/
SELECT
    e.tenant_id,
    coalesce(e.target, 'a place without a name') AS target,
    'collector' AS feed,
    e.event_id,
    e.occurred_at,
    [coalesce(e.collection, e.kind)] AS reasons,
    cast(NULL AS VARCHAR) AS app_id,
    cast(NULL AS VARCHAR) AS record,
    cast(NULL AS VARCHAR) AS process
FROM auditor_events AS e
WHERE e.kind = 'link_refused'
