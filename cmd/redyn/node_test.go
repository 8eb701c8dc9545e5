package main

import (
	"testing"

	"redyn/redisstore"
)

func TestNodeState(t *testing.T) {
	f := func(n redisstore.Node, want string) {
		t.Helper()
		if got := nodeState(n); got != want {
			t.Errorf("the state of %+v is %s, want %s", n, got, want)
		}
	}
	f(redisstore.Node{Epoch: "x"}, "serving")
	f(redisstore.Node{Epoch: "x", Loading: true}, "loading")
	f(redisstore.Node{Epoch: "x", Lost: true}, "lost")
	f(redisstore.Node{Empty: true}, "empty")
	f(redisstore.Node{}, "loading") // it cannot load yet
}
