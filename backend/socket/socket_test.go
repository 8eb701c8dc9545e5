package socket

import (
	"bytes"
	"errors"
	"io"
	"net"
	"path/filepath"
	"syscall"
	"testing"
)

// What is written while others close the connection arrives there or fails, and never reaches whoever
// has the descriptor's number next.
func TestClose(t *testing.T) {
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for range 200 {
		var sockets [2]Socket
		var peers [2]net.Conn
		for i := range sockets {
			if peers[i], err = net.Dial("unix", ln.Addr().String()); err != nil {
				t.Fatal(err)
			}
			c, err := ln.Accept()
			if err != nil {
				t.Fatal(err)
			}
			sockets[i].Open(c)
			if i == 0 { // the second may get the number that the first had
				go func() { _ = sockets[0].Close() }()
				go func() { _ = sockets[0].Close() }()
			}
		}
		for {
			if _, err := sockets[0].Write([]byte("a")); err != nil {
				if !errors.Is(err, net.ErrClosed) {
					t.Fatal(err)
				}
				break
			}
		}
		if n, err := sockets[1].Write([]byte("b")); n != 1 || err != nil {
			t.Fatalf("wrote %d: %v", n, err)
		}
		if err := sockets[1].Close(); err != nil {
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
	var s Socket
	c, peer := net.Pipe()
	s.Open(c)
	go func() { _, _ = io.Copy(io.Discard, peer) }()
	if n, err := s.Write([]byte("ab")); n != 2 || err != nil {
		t.Errorf("wrote %d to what has no descriptor: %v", n, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closing again: %v; want %v", err, net.ErrClosed)
	}
}

func TestReadNow(t *testing.T) {
	s, peer := pair(t)
	buf := make([]byte, 2)
	f := func(when, want string, wantErr error) {
		t.Helper()
		if n, err := s.ReadNow(buf); string(buf[:n]) != want || !errors.Is(err, wantErr) {
			t.Errorf("%s: %q, %v; want %q, %v", when, buf[:n], err, want, wantErr)
		}
	}
	f("at first", "", syscall.EAGAIN)
	if _, err := peer.Write([]byte("abc")); err != nil {
		t.Fatal(err)
	}
	f("with octets", "ab", nil)
	f("with one", "c", nil)
	f("without any", "", syscall.EAGAIN)
	_ = peer.Close()
	f("after its end", "", io.EOF)
	_ = s.Close()
	f("closed", "", net.ErrClosed)
	var without Socket
	c, _ := net.Pipe()
	if without.Open(c); without.raw != nil {
		t.Error("a pipe has a descriptor")
	}
	if n, err := without.ReadNow(buf); n != 0 || err != syscall.EAGAIN {
		t.Errorf("without a descriptor: %d, %v", n, err)
	}
}

// pair returns a Socket and its other end.
func pair(t *testing.T) (*Socket, net.Conn) {
	t.Helper()
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := net.Dial("unix", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	peer, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s := new(Socket)
	s.Open(c)
	return s, peer
}

func TestQuiet(t *testing.T) {
	s, peer := pair(t)
	f := func(when string, want error) {
		t.Helper()
		if err := s.Quiet(); !errors.Is(err, want) {
			t.Errorf("%s: %v; want %v", when, err, want)
		}
	}
	f("at first", nil)
	if _, err := peer.Write([]byte("a")); err != nil {
		t.Fatal(err)
	}
	f("with an octet", ErrUnread)
	buf := make([]byte, 2)
	if n, err := s.Read(buf); n != 1 || err != nil || buf[0] != 'a' {
		t.Errorf("read %q, %v", buf[:n], err)
	}
	f("without it", nil)
	_ = peer.Close()
	f("after its end", io.EOF)
	_ = s.Close()
	f("closed", net.ErrClosed)
}
