"""The only room that knows Microsoft's services: signs in, asks, follows, waits, and yields what it read.

Must never store anything, judge anything, or write to a tenant.
"""
