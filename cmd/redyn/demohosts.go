package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"

	"redyn/auth"
	"redyn/backend/dns"
	"redyn/redisstore"
)

// demoHosts are the hosts of the demo, each with a credential of another kind.
type demoHosts struct {
	token, password auth.Secret
	hmacID          string
	hmacFile        string // with the secret
	keyFile         string // with the private key
}

// The hosts, by the kind of their credential.
const (
	demoTokenHost    dns.Name = "home.example.org."
	demoPasswordHost dns.Name = "office.example.org."
	demoKeyHost      dns.Name = "laptop.example.org."
	demoHMACHost     dns.Name = "camera.example.org."
)

// addDemoHosts makes the hosts and their credentials. What is too long for a command line lies in dir.
func addDemoHosts(ctx context.Context, store *redisstore.Store, dir string) (*demoHosts, error) {
	d := &demoHosts{
		token: auth.GenerateToken(), password: auth.GeneratePassword(),
		hmacFile: filepath.Join(dir, "camera.secret"), keyFile: filepath.Join(dir, "laptop.pem"),
	}
	secret := auth.GenerateHMACSecret()
	if err := os.WriteFile(d.hmacFile, []byte(secret.Reveal()+"\n"), 0o600); err != nil {
		return nil, err
	}
	public, err := writeDemoKey(d.keyFile)
	if err != nil {
		return nil, err
	}
	hmac, err := auth.NewHMACCredential("", secret, nil)
	if err != nil {
		return nil, err
	}
	d.hmacID = hmac.ID
	for host, made := range map[dns.Name]func() (auth.Credential, error){
		demoTokenHost: func() (auth.Credential, error) { return auth.NewTokenCredential(d.token) },
		demoPasswordHost: func() (auth.Credential, error) {
			return auth.NewPasswordCredential(auth.HashPassword(d.password, auth.DefaultCost))
		},
		demoKeyHost:  func() (auth.Credential, error) { return auth.NewPublicKeyCredential(public) },
		demoHMACHost: func() (auth.Credential, error) { return hmac, nil },
	} {
		c, err := made()
		if err != nil {
			return nil, err
		}
		if err := addDemoHost(ctx, store, host, c); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func addDemoHost(ctx context.Context, store *redisstore.Store, name dns.Name, c auth.Credential) error {
	const who, from = "demo", ""
	host, _, err := store.AddHost(ctx, auth.Host{Name: name}, who, from)
	if err != nil {
		return err
	}
	c.Grant.Hosts = []auth.Area{{Host: host.ID, Name: name}}
	_, err = store.AddCredential(ctx, c, who, from)
	return err
}

// writeDemoKey writes a new private key, and returns the public one.
func writeDemoKey(file string) (public string, err error) {
	key, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		return "", err
	}
	if der, err = x509.MarshalPKIXPublicKey(key); err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

// commands are a line for each host, with addresses from 192.0.2.101 on.
func (d *demoHosts) commands(self, url string) []string {
	text := func(name dns.Name) string { return string(name[:len(name)-1]) }
	return []string{
		fmt.Sprintf("curl -s -u %s:%s '%s/nic/update?hostname=%[1]s&myip=192.0.2.101' && echo", text(demoTokenHost), d.token.Reveal(), url),
		fmt.Sprintf("curl -s --data 'password=%s&ipAddress=192.0.2.102' %s/update-simple/%s && echo", d.password.Reveal(), url, text(demoPasswordHost)),
		fmt.Sprintf("%s update --url %s --host %s --key-file %s --address 192.0.2.103", self, url, text(demoKeyHost), d.keyFile),
		fmt.Sprintf("%s update --url %s --host %s --hmac-id %s --secret-file %s --address 192.0.2.104", self, url, text(demoHMACHost), d.hmacID, d.hmacFile),
	}
}

// updaterURL is where the demo's hosts update their addresses; empty if they cannot.
func (o *nodeOptions) updaterURL() string {
	if len(o.updates.listen) == 0 {
		return ""
	}
	address, plain := plainListen(o.updates.listen[0])
	if plain || o.updates.certificate == nil {
		return "http://" + address
	}
	return "https://" + address
}
