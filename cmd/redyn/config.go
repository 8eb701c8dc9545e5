package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// readConfig reads the settings of a config file: a flat YAML mapping of the flags' names. A list
// gives a repeatable flag.
func readConfig(path string) ([]givenFlag, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, usagef("--config: %w", err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, usagef("%s%s", path, yamlFault(err))
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, usagef("%s:%d: no settings; expected something like redis-url: redis://127.0.0.1:6379/0", path, root.Line)
	}
	var settings []givenFlag
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		s, err := configSetting(key.Value, value)
		if err == nil && slices.ContainsFunc(settings, func(o givenFlag) bool { return o.name == s.name }) {
			err = errors.New("is given twice")
		}
		if err != nil {
			return nil, usagef("%s:%d: %s: %w", path, key.Line, key.Value, err)
		}
		settings = append(settings, s)
	}
	return settings, nil
}

func configSetting(name string, value *yaml.Node) (givenFlag, error) {
	if name == "config" || !slices.Contains(settingNames(), name) {
		return givenFlag{}, fmt.Errorf("no such setting%s; redyn serve --help lists all", nearest(name))
	}
	text := value.Value
	switch value.Kind {
	case yaml.ScalarNode:
		if value.Tag == "!!null" {
			text = ""
		}
	case yaml.SequenceNode:
		var items []string
		for _, item := range value.Content {
			if item.Kind != yaml.ScalarNode {
				return givenFlag{}, errors.New("holds more than plain values")
			}
			items = append(items, item.Value)
		}
		text = strings.Join(items, ",")
	default:
		return givenFlag{}, errors.New("is no plain value; settings are flat, one a line")
	}
	return givenFlag{name, text}, checkValue("", name, text)
}

// nearest suggests the setting that was meant.
func nearest(name string) string {
	squeeze := func(s string) string { return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(s)) }
	for _, known := range settingNames() {
		if squeeze(known) == squeeze(name) {
			return "; " + known + " is one"
		}
	}
	return ""
}

var yamlLine = regexp.MustCompile(`line (\d+): (.*)`)

// yamlFault words an error of the YAML reader as :line: what.
func yamlFault(err error) string {
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			return fmt.Sprintf(":%d: %s", n, m[2])
		}
	}
	return ": " + err.Error()
}
