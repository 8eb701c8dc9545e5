package updater

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// Certificate is a certificate and its key in two PEM files, which are read again when they change.
// It may be used by several goroutines.
type Certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	looked  time.Time // when the files were looked at last
	stamp   string    // of the files that were read last, well or not
	told    string    // what was wrong with them
	current *tls.Certificate
}

// certificatePause is how long a certificate is used before its files are looked at again.
const certificatePause = time.Second

// LoadCertificate reads the files, which must be right now. What is wrong with them later is logged,
// and the certificate stays what it was.
func LoadCertificate(certFile, keyFile string, log *slog.Logger) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile, log: log}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	return c, c.load()
}

// Config returns the settings of a server that shows the certificate.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.get(time.Now()), nil
		},
	}
}

func (c *Certificate) get(now time.Time) *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.looked) >= certificatePause {
		c.looked = now
		if err := c.load(); err != nil && err.Error() != c.told {
			c.told = err.Error()
			c.log.Error("the certificate is not read again, and stays as it was", "err", err)
		}
	}
	return c.current
}

// load reads the files if they are others than before.
func (c *Certificate) load() error {
	stamp, err := stampOf(c.certFile, c.keyFile)
	if err != nil || stamp == c.stamp {
		return err
	}
	c.stamp = stamp
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	if c.current != nil {
		c.log.Info("the certificate is read again", "until", pair.Leaf.NotAfter)
	}
	c.current, c.told = &pair, ""
	return nil
}

// stampOf is another text whenever one of the files is another.
func stampOf(files ...string) (stamp string, err error) {
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return "", err
		}
		stamp += fmt.Sprintln(file, info.ModTime().UnixNano(), info.Size())
	}
	return stamp, nil
}
