-- Which entries are the register's history: those that lengthened a history that was whole. What was judged with while
-- an older entry was changed or gone is kept, and is never taken for the history.

ALTER TABLE register_ledger ADD COLUMN is_canonical BOOLEAN;
UPDATE register_ledger SET is_canonical = NOT EXISTS (
    SELECT 1 FROM register_ledger AS l
    WHERE
        l.tenant_id = register_ledger.tenant_id AND l.record = register_ledger.record
        AND l.entry = register_ledger.entry AND l.first_judged_at < register_ledger.first_judged_at
);
