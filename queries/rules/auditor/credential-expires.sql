/*---
id: credential-expires
version: 1
severity: medium
title: "The auditor's own credential ends on {ends_on}"
question: Until when can the auditor go on looking?
identity: [ends_on]
needs: []
needs_collection: true
evidence: >
  The certificate that the auditor last signed in with ends within the policy's notice (credential_notice) after the newest
  time by Microsoft's clock that it saw, or has ended; with a secret, the next end that its own registration shows.
misses: >
  Secrets of which no registration was read; which of several secrets it uses; managed identities, which have none; a
  credential that somebody takes away before its end.
advice: >
  Put a new certificate beside the old one, let the configuration name it, run `m365audit doctor`, then remove the old one.
  What is not collected in time may not be had again.
control: [C07-5]
references: ["GDPR Art. 5(2)", "GDPR Art. 32(1)(d)", "Policy §7"]
---*/
SELECT
    a.tenant_id,
    strftime(make_timestamp(epoch_us(a.credential_expires_at)), '%Y-%m-%d') AS ends_on,
    'collector' AS feed,
    coalesce(a.app_id, 'auditor') AS event_id,
    a.credential_expires_at AS occurred_at,
    [CASE WHEN a.credential_expires_at <= a.clock_at THEN 'ended' ELSE 'ending_soon' END] AS reasons,
    a.app_id,
    cast(NULL AS VARCHAR) AS record,
    cast(NULL AS VARCHAR) AS process
FROM auditor AS a
CROSS JOIN policy_settings AS p
WHERE a.credential_expires_at <= a.clock_at + to_seconds(p.credential_notice_seconds)
