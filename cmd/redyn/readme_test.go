package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestReadmeSettings holds the tables of settings against what --help says: README's against redyn
// serve's, and that of contrib/clients against redyn update's.
func TestReadmeSettings(t *testing.T) {
	if want := settingsTable(serveFlags()); !strings.Contains(readme(t), want) {
		t.Errorf("README.md must have this table:\n%s", want)
	}
	text, err := os.ReadFile("../../contrib/clients/README.md")
	if want := settingsTable(updateFlags()); err != nil || !strings.Contains(string(text), want) {
		t.Errorf("contrib/clients/README.md must have this table:\n%s%v", want, err)
	}
}

func settingsTable(flags []cli.Flag) string {
	var table strings.Builder
	table.WriteString("| setting | default | what it is |\n|---|---|---|\n")
	for _, f := range flags {
		doc := f.(cli.DocGenerationFlag)
		byDefault := doc.GetDefaultText()
		if byDefault == "" && doc.GetValue() != "" {
			byDefault = "`" + doc.GetValue() + "`"
		}
		byDefault = strings.ReplaceAll(byDefault, `"`, "`")
		usage := strings.ReplaceAll(doc.GetUsage(), "`", "")
		fmt.Fprintf(&table, "| `--%s` | %s | %s |\n", f.Names()[0], byDefault, usage)
	}
	return table.String()
}

// TestReadmeCommands looks up each redyn command that README shows, and its flags, in the program.
func TestReadmeCommands(t *testing.T) {
	var shown string
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(readme(t), -1) {
		shown += block[1]
	}
	lines := regexp.MustCompile(`(?m)^\s*(?:\./)?redyn ([^\n]*)`).FindAllStringSubmatch(shown, -1)
	if len(lines) < 10 {
		t.Fatalf("README.md shows %d redyn commands", len(lines))
	}
	flag := regexp.MustCompile(`--([a-z-]+)`)
	for _, line := range lines {
		command := &cli.Command{Subcommands: newApp(nil, io.Discard, io.Discard).Commands}
		for _, word := range strings.Fields(line[1]) {
			next := (&cli.App{Commands: command.Subcommands}).Command(word)
			if next == nil {
				break
			}
			command = next
		}
		if command.Name == "" || len(command.Subcommands) > 0 {
			t.Errorf("README.md shows %q, which is no command", line[0])
			continue
		}
		for _, f := range flag.FindAllStringSubmatch(line[1], -1) {
			if !hasFlag(command, f[1]) {
				t.Errorf("README.md shows %q; redyn %s has no --%s", line[0], command.Name, f[1])
			}
		}
	}
}

func hasFlag(command *cli.Command, name string) bool {
	for _, f := range command.Flags {
		for _, n := range f.Names() {
			if n == name {
				return true
			}
		}
	}
	return false
}
