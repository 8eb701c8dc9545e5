package backend

import (
	"bytes"
	"errors"
	"io"
	"net"
	"path/filepath"
	"testing"
)

// What is written while others close the connection arrives there or fails, and never reaches whoever
// has the descriptor's number next.
func TestWireClose(t *testing.T) {
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for range 200 {
		var wires [2]wire
		var peers [2]net.Conn
		for i := range wires {
			if peers[i], err = net.Dial("unix", ln.Addr().String()); err != nil {
				t.Fatal(err)
			}
			c, err := ln.Accept()
			if err != nil {
				t.Fatal(err)
			}
			wires[i].Conn = c
			wires[i].open()
			if i == 0 { // the second may get the number that the first had
				go func() { _ = wires[0].Close() }()
				go func() { _ = wires[0].Close() }()
			}
		}
		for {
			if _, err := wires[0].write([]byte("a")); err != nil {
				if !errors.Is(err, net.ErrClosed) {
					t.Fatal(err)
				}
				break
			}
		}
		if n, err := wires[1].write([]byte("b")); n != 1 || err != nil {
			t.Fatalf("wrote %d: %v", n, err)
		}
		if err := wires[1].Close(); err != nil {
			t.Fatal(err)
		}
		for i, peer := range peers {
			got, err := io.ReadAll(peer)
			if err != nil {
				t.Fatal(err)
			}
			if want := bytes.Repeat([]byte{"ab"[i]}, len(got)); !bytes.Equal(got, want) || i == 1 && len(got) != 1 {
				t.Fatalf("peer %d got %q", i, got)
			}
			_ = peer.Close()
		}
	}
	var w wire
	c, peer := net.Pipe()
	w.Conn = c
	w.open()
	go func() { _, _ = io.Copy(io.Discard, peer) }()
	if n, err := w.write([]byte("ab")); n != 2 || err != nil {
		t.Errorf("wrote %d to what has no descriptor: %v", n, err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if err := w.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closing again: %v; want %v", err, net.ErrClosed)
	}
}
