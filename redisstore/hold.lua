-- Keeps a generation that is being fed from expiring, or takes it away. One that is in use has no
-- time to live, and stays as it is.
-- KEYS: rr:<id>:<gen>.
-- ARGV: its time to live in ms from now on; 0: take it away.
if redis.call('PTTL', KEYS[1]) < 0 then return 0 end
if ARGV[1] == '0' then return redis.call('UNLINK', KEYS[1]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[1])
