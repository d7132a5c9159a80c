/*---
id: mfa-not-enforced
version: 1
severity: high
title: "Who must give a second factor: {asked}"
question: Does anything make our people give a second factor, as the policy promises?
identity: [asked]
needs: [policies]
evidence: >
  The tenant's policies, as last read: security defaults are not on, and no conditional access policy in force asks
  everybody for a second factor for every app. What could not be read counts as what it is: not known to be asked.
misses: >
  Whom the policies for everybody leave out; per-user settings of old; second factors that another identity provider asks
  for; policies that are only being tried (report-only) count as not in force. Which people have registered a second factor.
advice: >
  Switch on security defaults (free), or a conditional access policy that asks all users for a second factor for all apps;
  leave out nobody but an emergency account.
control: [C07-2]
references: ["GDPR Art. 32(1)(b)", "GDPR Art. 5(1)(f)", "Policy §7"]
---*/
SELECT
    p.tenant_id,
    CASE
        WHEN p.mfa_policies > 0 THEN 'some people or for some apps'
        WHEN p.security_defaults IS NULL OR p.mfa_policies IS NULL THEN 'nobody, as far as is known'
        ELSE 'nobody'
    END AS asked,
    'policies' AS feed,
    'tenant' AS event_id,
    p.observed_at AS occurred_at,
    list_filter(
        [
            CASE
                WHEN p.security_defaults IS NULL THEN 'security_defaults_not_read'
                ELSE 'security_defaults_off'
            END,
            CASE
                WHEN p.mfa_policies IS NULL THEN 'conditional_access_not_read'
                WHEN p.mfa_policies = 0 THEN 'no_policy_asks'
                ELSE 'policies_ask_some'
            END
        ],
        LAMBDA r: r IS NOT NULL
    ) AS reasons,
    cast(NULL AS VARCHAR) AS app_id,
    cast(NULL AS VARCHAR) AS record,
    cast(NULL AS VARCHAR) AS process
FROM tenant_policies AS p
WHERE p.security_defaults IS DISTINCT FROM TRUE AND p.mfa_for_all IS DISTINCT FROM TRUE
