-- Counts a failed authentication.
-- KEYS: epoch.
-- ARGV: source ('' if it is not known), what it was meant for ('' if that is not known), ms to count for.
-- Answers how many there are for that now.
if ARGV[1] ~= '' then count(prefix .. 'limit:failures:' .. ARGV[1], ARGV[3]) end
if ARGV[2] == '' then return 0 end
return count(prefix .. 'limit:credential:' .. ARGV[2], ARGV[3])
