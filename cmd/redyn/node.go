package main

import (
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"redyn/redisstore"
)

func nodeCommand() *cli.Command {
	return &cli.Command{
		Name:  "node",
		Usage: "list serving nodes",
		Subcommands: []*cli.Command{{
			Name: "list", Usage: "list the serving nodes: state, position in the change log, version", Flags: storeFlags(jsonFlag),
			Action: withStore("expected: redyn node list", 0, 0, nodeList),
		}},
	}
}

// nodeInfo is a serving node as it is printed.
type nodeInfo struct {
	Name     string    `json:"name"`
	State    string    `json:"state"`
	Zones    int       `json:"zones"`
	Position string    `json:"position"`
	Behind   bool      `json:"behind"`
	Version  string    `json:"version"`
	Time     time.Time `json:"time"`
}

func nodeList(c *cli.Context, store *redisstore.Store) error {
	nodes, err := store.Nodes(c.Context)
	if err != nil {
		return err
	}
	newest, err := store.Position(c.Context)
	if err != nil {
		return err
	}
	infos := make([]nodeInfo, len(nodes))
	rows := make([][]string, len(nodes))
	for i, n := range nodes {
		infos[i] = nodeInfo{Name: n.Name, State: nodeState(n), Zones: n.Zones, Position: n.Position, Behind: n.Position != newest, Version: n.Version, Time: n.Time}
		age := time.Since(n.Time).Round(time.Second)
		lag := "none"
		if infos[i].Behind {
			lag = "behind"
		}
		rows[i] = []string{n.Name, infos[i].State, fmt.Sprint(n.Zones), n.Position, lag, n.Version, age.String() + " ago"}
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, infos)
	}
	return printTable(c.App.Writer, []string{"NAME", "STATE", "ZONES", "POSITION", "LAG", "VERSION", "SEEN"}, rows)
}

func nodeState(n redisstore.Node) string {
	switch {
	case n.Empty:
		return "empty"
	case n.Lost:
		return "lost"
	case n.Loading, n.Epoch == "":
		return "loading"
	}
	return "serving"
}
