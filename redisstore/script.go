package redisstore

import (
	"context"
	"crypto/rand"
	"crypto/sha1"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"redyn/auth"
	"redyn/backend/dns"
)

//go:embed prelude.lua
var prelude string

// script is a Lua script that changes the store and notes it in the log.
type script struct{ source, sha string }

func newScript(body string) script {
	source := prelude + body
	sum := sha1.Sum([]byte(source))
	return script{source, hex.EncodeToString(sum[:])}
}

// origin says which change it is, and whose.
type origin struct {
	change, who, from string
	again             bool // made twice it is as made once, so it may be sent again if no trace of it is found
}

// reply is what a script answers: a word, and what follows it.
type reply []string

// ask runs a script that the log is not told of, and returns what follows its word. Such a script may
// run twice, so it is sent again if the connection ends: an update is not lost for a question.
func (s *Store) ask(ctx context.Context, script *redis.Script, keys []string, args ...any) ([]string, error) {
	r, err := script.Run(ctx, s.rdb, keys, args...).StringSlice()
	if ended(err) {
		r, err = script.Run(ctx, s.rdb, keys, args...).StringSlice()
	}
	if err != nil {
		return nil, explain(err)
	}
	if err := reply(r).outcome(); err != nil {
		return nil, err
	}
	return r[1:], nil
}

// run sends the script once. If its reply is lost, the log tells whether it was done.
func (s *Store) run(ctx context.Context, sc script, o origin, keys []string, args []any) (reply, error) {
	all := make([]any, 0, 3+3+len(keys)+5+len(args))
	all = append(all, "evalsha", sc.sha, 3+len(keys), s.keys.epoch(), s.keys.log(), s.keys.zones())
	for _, k := range keys {
		all = append(all, k)
	}
	all = append(all, o.change, o.who, o.from, s.o.Now().UTC().Format(time.RFC3339Nano), s.o.LogLength)
	all = append(all, args...)
	for again := o.again; ; again = false {
		r, err := s.once(ctx, all)
		if err != nil && redis.HasErrorPrefix(err, "NOSCRIPT") {
			all[0], all[1] = "eval", sc.source
			r, err = s.once(ctx, all)
		}
		if err == nil || !sent(err) {
			return r, explain(err)
		}
		done, looked := s.lookBack(ctx, o.change)
		if done != nil {
			return done, nil
		}
		if !again || !looked || !ended(err) {
			return nil, fmt.Errorf("it is not known whether change %s was written: %w", o.change, err)
		}
	}
}

// single is a command that the client never sends a second time by itself.
type single struct{ *redis.Cmd }

func (single) NoRetry() bool { return true }

func (s *Store) once(ctx context.Context, args []any) (reply, error) {
	cmd := redis.NewCmd(ctx, args...)
	if err := s.rdb.Process(ctx, single{cmd}); err != nil {
		return nil, err
	}
	return cmd.StringSlice()
}

// lookBack looks for the change in the log, or where a host's update is noted that changed nothing, after
// the reply to it was lost. It returns nil if no trace is there, and false if that is not known.
func (s *Store) lookBack(ctx context.Context, change string) (reply, bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.o.Timeout)
	defer cancel()
	for m, err := range s.newest(ctx) {
		if err != nil {
			return nil, false
		}
		if m.Values["change"] != change {
			continue
		}
		r := reply{"done", m.ID, m.ID}
		for name, value := range m.Values {
			if id, ok := strings.CutPrefix(name, "serial "); ok {
				r = append(r, fmt.Sprint(m.Values["zone "+id]), fmt.Sprint(value))
			}
		}
		s.log.InfoContext(ctx, "reply of redis lost, change found in the log", "change", change)
		return r, true
	}
	newest, err := s.rdb.Get(ctx, s.keys.done(change)).Result()
	if err != nil {
		return nil, errors.Is(err, redis.Nil)
	}
	s.log.InfoContext(ctx, "reply of redis lost, change found to be none", "change", change)
	return reply{"done", "", newest}, true
}

// newest yields the newest entries of the log, the last one first: as many as busy nodes write in some
// seconds.
func (s *Store) newest(ctx context.Context) iter.Seq2[redis.XMessage, error] {
	const pages, page = 20, 1000
	return func(yield func(redis.XMessage, error) bool) {
		end := "+"
		for range pages {
			messages, err := s.rdb.XRevRangeN(ctx, s.keys.log(), end, "-", page).Result()
			if err != nil {
				yield(redis.XMessage{}, err)
				return
			}
			for _, m := range messages {
				if !yield(m, nil) {
					return
				}
			}
			if len(messages) < page {
				return
			}
			end = "(" + messages[page-1].ID
		}
	}
}

// outcome turns a script's word into an error; nil is done. The word stale is for the caller.
func (r reply) outcome() error {
	if len(r) == 0 {
		return fmt.Errorf("the script answers nothing")
	}
	switch r[0] {
	case "done", "found":
		return nil
	case "lost":
		return dns.ErrLost
	case "unknown":
		return dns.ErrNotFound
	case "exists":
		return dns.ErrExists
	case "conflict":
		return fmt.Errorf("%s: %w", r[1], dns.ErrConflict)
	case "schema":
		return fmt.Errorf("the keys have schema %q, and this program knows %s", r[1:], schema)
	case "begun":
		return fmt.Errorf("a data set was begun by somebody else: %w", dns.ErrConflict)
	case "taken":
		return fmt.Errorf("the id of the zone has become another zone's meanwhile: %w", dns.ErrConflict)
	case "incomplete":
		return errGone
	case "used":
		return auth.ErrUsed
	case "other":
		return r.otherwise()
	case "limit":
		return limitError(r[1:])
	}
	return fmt.Errorf("the script answers %q", r)
}

func (r reply) stale() bool { return len(r) > 0 && r[0] == "stale" }
func (r reply) taken() bool { return len(r) > 0 && r[0] == "taken" }

// randomID returns n random bytes in hexadecimal digits.
func randomID(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}
