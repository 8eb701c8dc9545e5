// Command redyn keeps DNS zones in Redis and answers PowerDNS from memory.
//
// Each command, or group of commands, has a file of its own; main.go runs them, arguments.go puts the command
// line in order, settings.go and config.go find every setting (flag, environment, file, in that
// order), serve.go puts the parts of redyn together.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"
)

func main() { os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr)) }

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// run runs one command line and returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	out := &output{w: stdout}
	app := newApp(stdin, out, stderr)
	ordered, err := arrange(app, args, os.LookupEnv)
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(ctx, stop) // a second signal ends the program at once
		defer stop()
		err = app.RunContext(ctx, ordered)
	}
	if err == nil && out.err != nil {
		err = fmt.Errorf("the command succeeded, but its output is lost: %w", out.err)
	}
	var told reported
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &told):
		return exitFailed
	}
	fmt.Fprintln(stderr, "redyn: "+oneLine(err.Error()))
	var wrong *usageError
	if errors.As(err, &wrong) {
		return exitUsage
	}
	return exitFailed
}

// usageError is a command line or a setting that cannot be meant so.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }

func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// reported is an error that the user has been told of already.
type reported struct{}

func (reported) Error() string { return "" }

func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

func newApp(stdin io.Reader, stdout, stderr io.Writer) *cli.App {
	return &cli.App{
		Name:            "redyn",
		Usage:           "DNS zones in Redis, answered to PowerDNS from memory",
		UsageText:       "redyn COMMAND [flags] [arguments]",
		Description:     "Every setting can be given as a flag, as an environment variable, or in the file of --config,\nin that order. Exit codes: 0 done, 1 failed, 2 wrong usage.",
		Version:         programVersion(),
		Reader:          stdin,
		Writer:          stdout,
		ErrWriter:       stderr,
		HideHelpCommand: true,
		ExitErrHandler:  func(*cli.Context, error) {},
		OnUsageError:    onUsageError,
		Commands: commands(
			serveCommand(), demoCommand(), checkCommand(), healthCommand(), pdnsConfCommand(),
			zoneCommand(), recordCommand(), hostCommand(), credentialCommand(), nodeCommand(), tsigCommand(), secretsCommand(),
			updateCommand(),
		),
	}
}

// commands gives all commands what they have in common.
func commands(all ...*cli.Command) []*cli.Command {
	for _, c := range all {
		c.OnUsageError = onUsageError
		c.HideHelpCommand = true
		c.Subcommands = commands(c.Subcommands...)
	}
	return all
}

func onUsageError(_ *cli.Context, err error, _ bool) error { return &usageError{err} }
