-- Counts a failed authentication.
-- KEYS: epoch.
-- ARGV: source ('' if it is not known), id of the credential ('' if none is known), ms to count for.
if ARGV[1] ~= '' then count(prefix .. 'limit:failures:' .. ARGV[1], ARGV[3]) end
if ARGV[2] ~= '' then count(prefix .. 'limit:credential:' .. ARGV[2], ARGV[3]) end
return 'done'
