package main

import (
	"context"
	"net"
	"os"
	"strconv"
	"time"
)

// notify tells systemd how the service is doing (sd_notify(3)). Without systemd it does nothing.
func notify(state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = conn.Write([]byte(state))
}

// States of sd_notify(3).
const (
	notifyReady     = "READY=1"
	notifyReloading = "RELOADING=1"
	notifyStopping  = "STOPPING=1"
	notifyAlive     = "WATCHDOG=1"
)

// keepWatchdog tells systemd twice in each watchdog period that the process is alive.
func keepWatchdog(ctx context.Context) {
	usec, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	if err != nil || usec <= 0 {
		return
	}
	every := time.NewTicker(time.Duration(usec) * time.Microsecond / 2)
	defer every.Stop()
	for {
		select {
		case <-every.C:
			notify(notifyAlive)
		case <-ctx.Done():
			return
		}
	}
}
