package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/urfave/cli/v2"
)

// statusAskBound is how long the status listener may take to answer.
const statusAskBound = 2 * time.Second

func healthCommand() *cli.Command {
	return &cli.Command{
		Name:   "health",
		Usage:  "ask /healthz of the node at --status-listen; exit code 0 if it is alive",
		Flags:  slices.Concat(statusFlags, configFlags),
		Action: health,
	}
}

func health(c *cli.Context) error {
	if err := needArguments(c, "expected: redyn health", 0, 0); err != nil {
		return err
	}
	if c.String("status-listen") == "" {
		return usagef("--status-listen is empty: there is nobody to ask")
	}
	if err := askHealth(c.Context, c.String("status-listen")); err != nil {
		return err
	}
	fmt.Fprintln(c.App.Writer, "ok")
	return nil
}

// askHealth asks the node whose status listener that is. It never depends on Redis: a node without
// Redis still answers PowerDNS.
func askHealth(ctx context.Context, listen string) error {
	_, err := askStatus(ctx, listen, "/healthz")
	return err
}

func askStatus(ctx context.Context, listen, path string) (string, error) {
	url := "http://" + reachable(listen) + path
	ctx, cancel := context.WithTimeout(ctx, statusAskBound)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	client := http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %s", url, response.Status)
	}
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

// reachable is where a listener on any address of this machine can be asked.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	switch host {
	case "", "0.0.0.0":
		host = "127.0.0.1"
	case "::":
		host = "::1"
	}
	return net.JoinHostPort(host, port)
}
