package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// arrange puts a command line in the order that urfave/cli wants: commands, flags, arguments. Flags
// may stand anywhere before "--". Settings that are not on the command line are added from the
// environment and from the config file, and all values are checked, so that a wrong one is told
// alike wherever it comes from.
func arrange(app *cli.App, args []string, env func(string) (string, bool)) ([]string, error) {
	a := arranger{app: app, known: allFlags(app.Commands)}
	if err := a.read(args[1:]); err != nil {
		return nil, err
	}
	if a.info {
		return a.line(args[0]), nil
	}
	if a.command == nil {
		return nil, usagef("no command is given; expected %s; see redyn --help", commandNames(app.Commands))
	}
	if len(a.command.Subcommands) > 0 {
		return nil, usagef("%s needs one of %s", a.path(), commandNames(a.command.Subcommands))
	}
	own := allFlags([]*cli.Command{a.command})
	given := make(map[string]bool)
	for _, f := range a.flags {
		flag := own[f.name]
		if flag == nil {
			return nil, usagef("%s has no flag --%s; see %s --help", a.path(), f.name, a.path())
		}
		name := flag.Names()[0]
		given[name] = true
		if err := checkValue(strings.Join(a.words, " "), name, f.value); err != nil {
			return nil, usagef("--%s: %w", f.name, err)
		}
	}
	if own["config"] == nil {
		return a.line(args[0]), nil
	}
	if err := a.addSettings(own, given, env); err != nil {
		return nil, err
	}
	return a.line(args[0]), nil
}

// arranger holds what is known of a command line.
type arranger struct {
	app       *cli.App
	known     map[string]cli.Flag // all flags of all commands
	words     []string            // the command's
	command   *cli.Command
	flags     []givenFlag
	arguments []string
	info      bool // only help or the version is wanted
}

type givenFlag struct{ name, value string }

func (a *arranger) path() string { return strings.Join(append([]string{"redyn"}, a.words...), " ") }

func (a *arranger) line(program string) []string {
	line := append([]string{program}, a.words...)
	for _, f := range a.flags {
		if a.info && a.known[f.name] != nil {
			continue
		}
		line = append(line, "--"+f.name+"="+f.value)
	}
	line = append(line, "--")
	if a.info { // of arguments urfave/cli would look for a command's help
		return line
	}
	return append(line, a.arguments...)
}

func (a *arranger) read(args []string) error {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			a.arguments = append(a.arguments, args...)
			return nil
		case len(arg) > 1 && arg[0] == '-':
			var err error
			if args, err = a.flag(arg, args); err != nil {
				return err
			}
		case arg == "help" && a.command == nil:
			a.info = true
			a.flags = append(a.flags, givenFlag{"help", "true"})
		default:
			if err := a.word(arg); err != nil {
				return err
			}
		}
	}
	return nil
}

// flag reads a flag and, where it has one, its value from what follows.
func (a *arranger) flag(arg string, rest []string) ([]string, error) {
	name, value, hasValue := strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
	switch name {
	case "help", "h", "version", "v":
		a.info = true
		a.flags = append(a.flags, givenFlag{name, "true"})
		return rest, nil
	}
	flag := a.known[name]
	if flag == nil {
		return nil, usagef("flag %s is unknown; see %s --help; \"--\" ends flags", arg, a.path())
	}
	_, isBool := flag.(*cli.BoolFlag)
	switch {
	case hasValue:
	case isBool:
		value = "true"
	case len(rest) == 0:
		return nil, usagef("--%s has no value", name)
	default:
		value, rest = rest[0], rest[1:]
	}
	a.flags = append(a.flags, givenFlag{name, value})
	return rest, nil
}

// word reads a word that is the next one of the command, or an argument.
func (a *arranger) word(arg string) error {
	next := a.app.Commands
	if a.command != nil {
		next = a.command.Subcommands
	}
	if len(next) == 0 {
		a.arguments = append(a.arguments, arg)
		return nil
	}
	for _, c := range next {
		if c.HasName(arg) {
			a.command = c
			a.words = append(a.words, arg)
			return nil
		}
	}
	return usagef("%s has no command %q; expected %s", a.path(), arg, commandNames(next))
}

// mayBeEmpty are the settings that mean something when they are empty. Of others an empty environment
// variable is as good as none.
var mayBeEmpty = []string{"backend-listen", "status-listen", "updater-listen"}

// addSettings adds the settings that are not on the command line.
func (a *arranger) addSettings(own map[string]cli.Flag, given map[string]bool, env func(string) (string, bool)) error {
	var empty []*cli.StringFlag
	for _, name := range settingNames() {
		value, ok := env(envName(name))
		if !ok || own[name] == nil || given[name] {
			continue
		}
		if value == "" && !slices.Contains(mayBeEmpty, name) {
			if flag, ok := own[name].(*cli.StringFlag); ok {
				empty = append(empty, flag)
			}
			continue
		}
		if err := checkValue("", name, value); err != nil {
			return usagef("%s: %w", envName(name), err)
		}
		given[name] = true
		a.flags = append(a.flags, givenFlag{name, value})
	}
	if err := a.addConfig(own, given); err != nil {
		return err
	}
	for _, flag := range empty { // which urfave/cli would take as empty texts
		if !given[flag.Name] {
			a.flags = append(a.flags, givenFlag{flag.Name, flag.Value})
		}
	}
	return nil
}

// addConfig adds the settings that only the config file gives.
func (a *arranger) addConfig(own map[string]cli.Flag, given map[string]bool) error {
	at := slices.IndexFunc(a.flags, func(f givenFlag) bool { return f.name == "config" })
	if at < 0 || a.flags[at].value == "" {
		return nil
	}
	file, err := readConfig(a.flags[at].value)
	if err != nil {
		return err
	}
	for _, f := range file {
		if own[f.name] != nil && !given[f.name] {
			given[f.name] = true
			a.flags = append(a.flags, f)
		}
	}
	return nil
}

func allFlags(commands []*cli.Command) map[string]cli.Flag {
	flags := make(map[string]cli.Flag)
	for _, c := range commands {
		for _, f := range c.Flags {
			for _, name := range f.Names() {
				flags[name] = f
			}
		}
		for name, f := range allFlags(c.Subcommands) {
			flags[name] = f
		}
	}
	return flags
}

func commandNames(commands []*cli.Command) string {
	names := make([]string, len(commands))
	for i, c := range commands {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}
