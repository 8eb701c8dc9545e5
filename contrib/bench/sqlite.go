package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// sqliteSchemas are where Debian's package of the backend keeps its schema.
var sqliteSchemas = []string{
	"/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql",
	"/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql",
}

func (b *bench) prepareSQLite(string) ([]string, error) {
	if !b.chosen(sqliteBackend) {
		return make([]string, 1), nil
	}
	settings, err := b.fillSQLite()
	return []string{settings}, err
}

// fillSQLite puts the zone into a database, and returns the settings of a PowerDNS that reads it.
func (b *bench) fillSQLite() (string, error) {
	db, err := b.sqlite(func(w io.Writer) error { return writeSQL(w, b.opts.hosts) })
	return "launch=gsqlite3\ngsqlite3-database=" + db + "\n", err
}

// sqlite makes a database for PowerDNS, with what write writes as SQL, and returns its path.
func (b *bench) sqlite(write func(io.Writer) error) (string, error) {
	schema, err := os.Open(sqliteSchemas[0])
	if errors.Is(err, os.ErrNotExist) {
		schema, err = os.Open(sqliteSchemas[1])
	}
	if err != nil {
		return "", err
	}
	defer schema.Close()
	dir, err := os.MkdirTemp(b.dir, "sqlite")
	if err != nil {
		return "", err
	}
	db := filepath.Join(dir, "pdns.sqlite3")
	if err := b.command(schema, "sqlite3", db); err != nil {
		return "", err
	}
	path, err := b.file("zone.sql", write)
	if err != nil {
		return "", err
	}
	sql, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer sql.Close()
	return db, b.command(sql, "sqlite3", db)
}
