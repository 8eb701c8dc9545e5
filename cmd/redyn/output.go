package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/goccy/go-json"
	"github.com/urfave/cli/v2"
)

// output is where commands print. It keeps the first error, so that none of them needs to look.
type output struct {
	w   io.Writer
	err error
}

// Write writes all of p.
func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

var jsonFlag = &cli.BoolFlag{Name: "json", Usage: "print JSON"}

// printJSON prints v for other programs.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// printTable prints rows under a heading, in columns.
func printTable(w io.Writer, heading []string, rows [][]string) error {
	all := append([][]string{heading}, rows...)
	var widths []int
	for _, row := range all {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len(cell))
		}
	}
	var text strings.Builder
	for _, row := range all {
		var line strings.Builder
		for i, cell := range row {
			fmt.Fprintf(&line, "%-*s  ", widths[i], cell)
		}
		text.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, text.String())
	return err
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// progress tells on a terminal, or every few seconds elsewhere, how far long work is.
type progress struct {
	w        io.Writer
	what     string
	terminal bool
	start    time.Time
	last     time.Time
	told     bool
}

const (
	progressTerminal = 200 * time.Millisecond
	progressElse     = 5 * time.Second
)

func newProgress(w io.Writer, what string) *progress {
	now := time.Now()
	return &progress{w: w, what: what, terminal: isTerminal(w), start: now, last: now}
}

// at tells that n records are done.
func (p *progress) at(n int) {
	now := time.Now()
	pause := progressElse
	if p.terminal {
		pause = progressTerminal
	}
	if now.Sub(p.last) < pause {
		return
	}
	p.last, p.told = now, true
	end := "\n"
	if p.terminal {
		end = "\r"
	}
	fmt.Fprintf(p.w, "%s: %d records, %.0f s%s", p.what, n, now.Sub(p.start).Seconds(), end)
}

// done ends the line on a terminal.
func (p *progress) done() {
	if p.told && p.terminal {
		fmt.Fprintln(p.w)
	}
}
