/*---
id: coverage-gaps
title: Holes in the evidence
question: When was which feed not watched, and why?
parameters:
  feed: {type: VARCHAR, default: null, description: "only this feed"}
  provisional: {type: BOOLEAN, default: false, description: "list also what is covered provisionally only"}
columns: [tenant_id, feed, covered_from, covered_to, hours, state, reason]
---*/
SELECT
    tenant_id,
    feed,
    covered_from,
    covered_to,
    round((epoch_us(covered_to) - epoch_us(covered_from)) / 3.6e9, 2) AS hours,
    state,
    reason
FROM coverage
WHERE
    (state = 'gap' OR ($provisional::BOOLEAN AND state = 'provisional'))
    AND ($feed::VARCHAR IS NULL OR feed = $feed)
ORDER BY tenant_id, covered_from NULLS FIRST, feed
