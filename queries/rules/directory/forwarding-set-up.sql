/*---
id: forwarding-set-up
version: 1
severity: high
title: "Mail is made to go to {target_domain}, set up through {app_id}"
question: Which mail leaves the house by a rule that somebody set up in a mailbox?
identity: [app_id, target_domain]
needs: [audit_exchange, users]
needs_register: true
evidence: >
  Commands, not known to have failed, that make mail go or be copied to an address outside of the tenant's own domains (or to
  one of which that is not known): inbox rules that forward or redirect, and forwarding of a whole mailbox; done by a program
  that is not Microsoft's, or in a mailbox that a record covers or an app reached, or in one that could not be made out. One
  piece of evidence for each address.
misses: >
  Rules that were there before the logs begin; transport rules of the whole tenant; rules made by an app through Microsoft
  Graph that Exchange does not log (the call itself is judged); what was forwarded.
advice: >
  Ask the owner of the mailbox. Remove the rule, look at what left by it, and block forwarding to the outside for everybody
  by an outbound policy in Exchange.
control: [C06-2]
references: ["GDPR Art. 5(1)(f)", "GDPR Art. 32(1)(b)", "GDPR Art. 33(1)", "Policy §6"]
---*/
WITH outward AS (
    SELECT
        f.tenant_id,
        f.feed,
        f.event_id || coalesce(' ' || f.target, '') AS event_id,
        f.occurred_at,
        f.mailbox_id,
        coalesce(f.target_domain, 'unknown') AS target_domain,
        f.is_external IS NULL AS is_domain_unknown,
        f.app_id,
        (f.app_id IS NOT NULL AND NOT coalesce(a.is_first_party, FALSE)) AS is_by_app
    FROM mail_forwarding AS f
    LEFT JOIN apps AS a ON f.tenant_id = a.tenant_id AND f.app_id = a.app_id
    WHERE f.succeeded IS DISTINCT FROM FALSE AND f.is_external IS DISTINCT FROM FALSE
),
concerned AS (
    SELECT tenant_id, user_id, min(record) AS record
    FROM people_in_scope
    WHERE how IN ('recorded', 'reached')
    GROUP BY ALL
)
SELECT
    o.tenant_id,
    o.app_id,
    o.target_domain,
    o.feed,
    o.event_id,
    o.occurred_at,
    list_filter(
        [
            CASE WHEN o.is_by_app THEN 'by_app' END,
            CASE WHEN c.user_id IS NOT NULL THEN 'mailbox_in_scope' END,
            CASE WHEN o.mailbox_id IS NULL THEN 'mailbox_unknown' END,
            CASE WHEN o.is_domain_unknown THEN 'domain_unknown' END
        ],
        LAMBDA r: r IS NOT NULL
    ) AS reasons,
    c.record,
    cast(NULL AS VARCHAR) AS process
FROM outward AS o
LEFT JOIN concerned AS c ON o.tenant_id = c.tenant_id AND o.mailbox_id = c.user_id
WHERE o.is_by_app OR c.user_id IS NOT NULL OR o.mailbox_id IS NULL
