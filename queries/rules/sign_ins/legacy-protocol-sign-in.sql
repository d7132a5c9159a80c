/*---
id: legacy-protocol-sign-in
version: 1
severity: medium
title: "Mailboxes were opened through {app_id} by {client_app}, an old protocol"
question: Which mailboxes were read or used by a way that asks for no second factor and logs no single access?
identity: [app_id, client_app]
needs: [sign_ins_interactive, sign_ins_non_interactive]
evidence: >
  Sign-ins of people, not refused, by a client that Microsoft calls a legacy one (IMAP, POP, authenticated SMTP, Exchange
  ActiveSync, Exchange Web Services, MAPI, Autodiscover, Offline Address Book, Outlook Anywhere, Exchange Online PowerShell,
  Reporting Web Services, Other clients). Where the app is Microsoft's own door, the program behind it is not known.
misses: >
  Sign-ins of which the kind of client was not written; programs that use these protocols with a modern token and are
  written as a desktop client; apps that sign in as themselves, of which no kind of client is ever written.
advice: >
  Find the program behind it, move it to a permission that is recorded, then block legacy authentication for everybody.
control: [C12-9, C07-2]
references: ["GDPR Art. 32(1)(b)", "GDPR Art. 5(1)(f)", "Policy §7"]
---*/
WITH clients AS (
    -- A handful of distinct kinds; the many sign-ins are compared with the result.
    SELECT client_app
    FROM (SELECT DISTINCT client_app FROM sign_ins WHERE client_app IS NOT NULL)
    WHERE
        regexp_matches(
            lower(client_app),
            '^(authenticated smtp|smtp|imap4?|pop3?|exchange activesync|exchange web services|mapi|autodiscover'
            || '|offline address book|outlook anywhere|exchange online powershell|reporting web services'
            || '|universal outlook|outlook service|other clients|older office clients)\b'
        )
)
SELECT
    i.tenant_id,
    i.app_id,
    i.client_app,
    i.feed,
    i.event_id,
    i.occurred_at,
    [
        CASE
            WHEN i.app_id IS NULL THEN 'app_unknown'
            WHEN a.is_first_party THEN 'program_unknown'
            WHEN a.is_recorded THEN 'recorded'
            ELSE 'no_record'
        END
    ] AS reasons,
    cast(NULL AS VARCHAR) AS record,
    cast(NULL AS VARCHAR) AS process
FROM sign_ins AS i
INNER JOIN clients AS c ON i.client_app = c.client_app
LEFT JOIN apps AS a ON i.tenant_id = a.tenant_id AND i.app_id = a.app_id
WHERE i.succeeded IS DISTINCT FROM FALSE
