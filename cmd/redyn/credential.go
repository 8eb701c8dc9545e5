package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"redyn/auth"
	"redyn/redisstore"
)

func credentialCommand() *cli.Command {
	return &cli.Command{
		Name:  "credential",
		Usage: "say who may change which hosts or zones: tokens, passwords, public keys, HMAC secrets",
		Subcommands: []*cli.Command{
			credentialAddCommand(),
			{
				Name: "list", Usage: "list all credentials, without their secrets", Flags: storeFlags(jsonFlag),
				Action: withStore("expected: redyn credential list", 0, 0, credentialList),
			},
			{
				Name: "show", Usage: "show a credential, without its secret", ArgsUsage: "ID", Flags: storeFlags(jsonFlag),
				Action: withStore("expected: redyn credential show ID", 1, 1, credentialShow),
			},
			{
				Name: "revoke", Usage: "end a credential with the next request on every node; it stays in the list", ArgsUsage: "ID", Flags: storeFlags(),
				Action: withStore("expected: redyn credential revoke ID", 1, 1, credentialRevoke),
			},
			{
				Name: "delete", Usage: "delete a credential, which ends it likewise", ArgsUsage: "ID", Flags: storeFlags(),
				Action: withStore("expected: redyn credential delete ID", 1, 1, credentialDelete),
			},
			credentialImportCommand(),
		},
	}
}

func credentialList(c *cli.Context, store *redisstore.Store) error {
	all, err := store.Credentials(c.Context)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, all)
	}
	rows := make([][]string, len(all))
	for i, cred := range all {
		rows[i] = []string{cred.ID, string(cred.Kind), state(cred, time.Now()), timeOrNever(cred.LastUse), grants(cred.Grant)}
	}
	return printTable(c.App.Writer, []string{"ID", "KIND", "STATE", "USED", "GRANTS"}, rows)
}

// state says in a word whether a credential proves anything.
func state(cred auth.Credential, now time.Time) string {
	switch {
	case cred.Revoked:
		return "revoked"
	case !cred.Expires.IsZero() && !now.Before(cred.Expires):
		return "expired"
	case cred.ReadOnly:
		return "read-only"
	}
	return "valid"
}

// grants names the hosts and zones of a grant.
func grants(g auth.Grant) string {
	var all []string
	for _, part := range []struct {
		word  string
		areas []auth.Area
	}{{"", g.Hosts}, {"zone ", g.Zones}} {
		for _, a := range part.areas {
			text := part.word + string(a.Name)
			if a.Below {
				text += " and below"
			}
			all = append(all, text)
		}
	}
	return strings.Join(all, ", ")
}

// describe says in a line what a credential is, to a reader who knows what it is for.
func describe(cred auth.Credential) string {
	parts := []string{string(cred.Kind), state(cred, time.Now()), "used " + timeOrNever(cred.LastUse)}
	if len(cred.Grant.Zones) > 0 {
		parts = append(parts, "for "+grants(auth.Grant{Zones: cred.Grant.Zones}))
	}
	return strings.Join(parts, ", ")
}

func credentialShow(c *cli.Context, store *redisstore.Store) error {
	cred, err := store.Credential(c.Context, c.Args().First())
	if err != nil {
		return noCredential(err)
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, cred)
	}
	rows := [][]string{{"kind", string(cred.Kind)}, {"detail", cred.Detail()}, {"state", state(cred, time.Now())}}
	for _, a := range cred.Grant.Hosts {
		one := auth.Grant{Hosts: []auth.Area{a}}
		what := "name"
		if a.Host != 0 {
			what = "host " + a.Host.String()
		}
		rows = append(rows, []string{what, grants(one)})
	}
	for _, a := range cred.Grant.Zones {
		rows = append(rows, []string{"zone", strings.TrimPrefix(grants(auth.Grant{Zones: []auth.Area{a}}), "zone ")})
	}
	if len(cred.Grant.Types) > 0 {
		rows = append(rows, []string{"types", joined(cred.Grant.Types)})
	}
	if len(cred.Grant.Networks) > 0 {
		rows = append(rows, []string{"from", joined(cred.Grant.Networks)})
	}
	if !cred.Expires.IsZero() {
		rows = append(rows, []string{"expires", timeOrNever(cred.Expires)})
	}
	rows = append(rows, []string{"created", timeOrNever(cred.Created)}, []string{"used", timeOrNever(cred.LastUse)})
	return printTable(c.App.Writer, []string{"id", cred.ID}, rows)
}

func joined[T fmt.Stringer](list []T) string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = v.String()
	}
	return strings.Join(texts, " ")
}

func credentialRevoke(c *cli.Context, store *redisstore.Store) error {
	id := c.Args().First()
	r, err := store.RevokeCredential(c.Context, id, who, from())
	if err != nil {
		return noCredential(err)
	}
	what := "is revoked"
	if r.ID == "" {
		what = "is revoked already"
	}
	fmt.Fprintf(c.App.Writer, "credential %s %s\n", id, what)
	return nil
}

func credentialDelete(c *cli.Context, store *redisstore.Store) error {
	id := c.Args().First()
	if _, err := store.DeleteCredential(c.Context, id, who, from()); err != nil {
		return noCredential(err)
	}
	fmt.Fprintf(c.App.Writer, "credential %s is deleted\n", id)
	return nil
}

// noCredential says where the ids are that there are.
func noCredential(err error) error {
	if isNotFound(err) {
		return fmt.Errorf("%w; redyn credential list shows all", err)
	}
	return err
}
