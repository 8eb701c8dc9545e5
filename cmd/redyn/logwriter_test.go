package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestLogWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := &logWriter{w: &out}
		write := func(line string) {
			if n, err := l.Write([]byte(line)); n != len(line) || err != nil {
				t.Fatalf("wrote %d: %v", n, err)
			}
		}
		want := func(text string) {
			t.Helper()
			l.mu.Lock()
			defer l.mu.Unlock()
			if out.String() != text {
				t.Fatalf("written is %.20q, %d octets, want %.20q, %d", &out, out.Len(), text, len(text))
			}
		}
		write("a\n")
		want("a\n")
		write("b\n")
		write("c\n")
		want("a\n")
		time.Sleep(logPause)
		synctest.Wait()
		want("a\nb\nc\n")
		time.Sleep(2 * logPause)
		write("d\n")
		want("a\nb\nc\nd\n")
		write("e\n")
		if err := l.Flush(); err != nil {
			t.Fatal(err)
		}
		want("a\nb\nc\nd\ne\n")
		out.Reset()
		write("f\n")
		time.Sleep(logPause / 2)
		long := strings.Repeat("x", mostLines-1) + "\n"
		write(long)
		want("f\n" + long)
		write("g\n")
		time.Sleep(logPause * 3 / 4) // longer than the first would have waited
		synctest.Wait()
		want("f\n" + long)
		time.Sleep(logPause / 2)
		synctest.Wait()
		want("f\n" + long + "g\n")
	})
}
