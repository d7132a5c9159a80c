/*---
id: unmapped-calls
title: Calls that the catalogue cannot place
question: Which calls can nobody judge yet, because it is not known what they touch?
parameters:
  feed: {type: VARCHAR, default: null, description: "only this feed"}
columns: [tenant_id, feed, method, shape, calls, apps, first_at, last_at]
---*/
SELECT tenant_id, feed, method, shape, calls, apps, first_at, last_at
FROM unmapped_calls
WHERE $feed::VARCHAR IS NULL OR feed = $feed
ORDER BY calls DESC, tenant_id, feed, shape, method
