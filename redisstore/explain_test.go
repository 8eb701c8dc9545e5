package redisstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

type replyError string

func (e replyError) Error() string { return string(e) }
func (e replyError) RedisError()   {}

func TestExplain(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		err := replyError(text)
		if got := explain(err); !errors.Is(got, err) || !strings.HasPrefix(got.Error(), want) {
			t.Errorf("%s is explained as %v, want %s", text, got, want)
		}
	}
	f("READONLY You can't write against a read only replica.", "redis is a replica here")
	f("ERR Error running script: @user_script:9: -READONLY You can't write against a read only replica.", "redis is a replica here")
	f("LOADING Redis is loading the dataset in memory", "redis is loading")
	f("NOAUTH Authentication required.", "redis wants a user")
	f("WRONGPASS invalid username-password pair or user is disabled.", "redis does not take the user")
	f("NOPERM this user has no permissions to run the 'evalsha' command", "the Redis user lacks a right")
	f("ERR The user executing the script can't run this command or subcommand script: 5b1, on @user_script:12.", "the Redis user lacks a right")
	f("ERR The user executing the script can't access at least one of the keys mentioned in the command arguments script: 5b1, on @user_script:12.", "the Redis user lacks a right")
	f("MASTERDOWN Link with MASTER is down", "the replica has lost")
	f("OOM command not allowed when used memory > 'maxmemory'.", "redis is out of memory")
	f("MISCONF Redis is configured to save RDB snapshots", "redis cannot save")
	f("ERR something else", "ERR something else")
	if explain(nil) != nil {
		t.Error("nil is an error")
	}
}

func TestSent(t *testing.T) {
	f := func(err error, want bool) {
		t.Helper()
		if got := sent(fmt.Errorf("apply: %w", err)); got != want {
			t.Errorf("%v: sent is %v", err, got)
		}
	}
	f(io.EOF, true)
	f(&net.OpError{Op: "read", Err: errors.New("connection reset by peer")}, true)
	f(context.DeadlineExceeded, true)
	f(&net.OpError{Op: "dial", Err: errors.New("connection refused")}, false)
	f(replyError("READONLY"), false)
	f(redis.ErrPoolTimeout, false)
	f(redis.ErrClosed, false)
}
