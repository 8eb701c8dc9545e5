package main

import (
	"io"
	"sync"
	"time"
)

// logPause is how long lines wait for others to be written with, after some were.
const logPause = 100 * time.Millisecond

// logWriter writes a line at once if none was written within logPause, else with all others of that time:
// where a thousand updates are logged in a second, writing each keeps Go's scheduler awake. Lines that wait
// are lost if the process ends without Flush.
type logWriter struct {
	mu    sync.Mutex
	w     io.Writer
	lines []byte
	quiet time.Time   // when a line may be written at once
	timer *time.Timer // flushes lines; nil at first
}

// mostLines is how many octets of lines wait.
const mostLines = 64 << 10

func (l *logWriter) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	switch {
	case len(l.lines) == 0 && !now.Before(l.quiet):
		l.quiet = now.Add(logPause)
		return l.w.Write(line)
	case len(l.lines) == 0:
		l.timer = time.AfterFunc(l.quiet.Sub(now), func() { _ = l.Flush() })
	}
	l.lines = append(l.lines, line...)
	if len(l.lines) >= mostLines {
		return len(line), l.flush()
	}
	return len(line), nil
}

// Flush writes what waits.
func (l *logWriter) Flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.flush()
}

func (l *logWriter) flush() error {
	if len(l.lines) == 0 {
		return nil
	}
	l.timer.Stop()
	_, err := l.w.Write(l.lines)
	l.lines, l.quiet = l.lines[:0], time.Now().Add(logPause)
	return err
}
