package redisstore_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"redyn/auth"
	"redyn/backend/dns"
	"redyn/redisstore"
)

// story is what has to work wherever the store is.
func story(t *testing.T, o redisstore.Options) {
	t.Helper()
	ctx := context.Background()
	s := open(t, o)
	if err := s.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	create(t, s, org, orgSets()...)
	f, m := follow(t, s, "node")
	fill2(t, s, org, 5000)
	r := apply(t, s, org, www("192.0.2.30"))
	if late, err := s.WaitNodes(ctx, r); err != nil || len(late) > 0 {
		t.Fatalf("late: %+v, %v", late, err)
	}
	if got := m.get(org, "www.example.org.", dns.TypeA); len(got) != 1 || got[0] != "192.0.2.30" {
		t.Errorf("www is %v", got)
	}
	updateStory(t, s)
	sameAsStore(t, s, m)
	if _, err := s.DeleteZone(ctx, org, "", ""); err != nil {
		t.Error(err)
	}
	if st := f.Status(); st.Reloads != 1 || st.Errors > 0 {
		t.Errorf("status is %+v", st)
	}
}

// updateStory is a host's life: it comes, changes with a token of each kind, and goes.
func updateStory(t *testing.T, s *redisstore.Store) {
	t.Helper()
	ctx := context.Background()
	h := addHost(t, s, home)
	c := addToken(t, s, h)
	from := netip.MustParseAddr("2001:db8::1")
	limit := auth.Limit{Count: 5, Per: time.Minute}
	token := oneTimeToken(t, s, h.ID)
	found, err := s.Find(ctx, auth.Query{
		From: from, FromLimit: limit, FailureLimit: limit, TokenHash: c.TokenHash(),
		HostNames: []dns.Name{home}, ForHosts: true, ForZones: []dns.Name{org}, OneTimeToken: true,
	})
	if err != nil || len(found.Credentials) != 1 || len(found.Hosts) != 1 || found.Tokens[h.ID] != token {
		t.Errorf("found %+v, %v", found, err)
	}
	if _, err := s.Failed(ctx, from, c.ID, limit); err != nil {
		t.Error(err)
	}
	u := auth.Use{
		Hosts: []dns.Name{home}, HostLimit: limit, Token: token, TokenHost: h.ID,
		Replay: &auth.Replay{Key: c.ID + ":sig", Expires: time.Now().Add(time.Minute)},
	}
	if r, err := update(s, u, address(1)); err != nil || r.ID == "" {
		t.Errorf("update comes to %+v, %v", r, err)
	}
	u.Token = oneTimeToken(t, s, h.ID)
	u.Replay.Key += "2"
	if r, err := update(s, u, address(1)); err != nil || r.ID != "" {
		t.Errorf("update again comes to %+v, %v", r, err)
	}
	s.Used(c.ID, time.Now())
	s.FlushUses()
	if gone, _, err := s.DeleteHost(ctx, h.ID, true, "", ""); err != nil || len(gone) != 1 {
		t.Errorf("gone are %v, %v", gone, err)
	}
}

func TestUnixSocket(t *testing.T) {
	srv := startRedis(t)
	story(t, redisstore.Options{URL: "unix://" + srv.sock() + "?db=3"})
}

func TestPrefix(t *testing.T) {
	srv := startRedis(t)
	story(t, redisstore.Options{URL: srv.url(), Prefix: "tenant:"})
	story(t, redisstore.Options{URL: srv.url(), Prefix: "{other}:"})
}

// The user needs no right to other keys than those with the prefix.
func TestUser(t *testing.T) {
	srv := startRedis(t)
	rdb := newServer(t, srv.url(), srv).rdb
	ctx := context.Background()
	err := rdb.Do(ctx, "acl", "setuser", "redyn", "on", ">se#cret", "resetchannels", "~{redyn}:*", "+@all", "-@dangerous", "+info").Err()
	if err != nil {
		t.Fatal(err)
	}
	story(t, redisstore.Options{URL: fmt.Sprintf("redis://redyn:se%%23cret@%s/0", srv.addr())})
	if err := rdb.Do(ctx, "acl", "setuser", "default", "off").Err(); err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"", "redyn:secret@"} {
		var logged syncBuffer
		s := open(t, redisstore.Options{URL: "redis://" + user + srv.addr(), Log: slog.New(slog.NewTextHandler(&logged, nil))})
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		ended := make(chan struct{})
		f := s.NewFollower(redisstore.NodeOptions{Name: "node", Copy: newMemory()})
		go func() {
			defer close(ended)
			f.Run(ctx)
		}()
		eventually(t, "follower fails", func() error { return holds(f.Status().Errors > 2, "%+v", f.Status()) })
		cancel()
		<-ended
		if text := logged.String(); !strings.Contains(text, "user and password") || strings.Contains(text, "secret") {
			t.Errorf("as %q it logs %s", user, text)
		}
		ctx = context.Background()
		if err := s.Ping(ctx); err == nil || !strings.Contains(err.Error(), "user and password") || strings.Contains(err.Error(), "secret") {
			t.Errorf("as %q: %v", user, err)
		}
	}
}

// What the user may not do, another command that comes after it in a script included, is not done at all,
// and Probe names it.
func TestUserWithoutCommand(t *testing.T) {
	srv := startRedis(t)
	rdb := newServer(t, srv.url(), srv).rdb
	ctx := context.Background()
	s := open(t, redisstore.Options{URL: srv.url()})
	www := dns.NewRRset("www.example.org.", dns.TypeA, 60, "192.0.2.1")
	create(t, s, org, append(orgSets(), www)...)
	f, m := follow(t, s, "node")
	gone := dns.RRset{Name: www.Name, Type: www.Type}
	for _, command := range []string{"xadd", "hset", "hdel", "unlink"} {
		if err := rdb.Do(ctx, "acl", "setuser", command, "on", ">secret", "~{redyn}:*", "+@all", "-"+command).Err(); err != nil {
			t.Fatal(err)
		}
		denied := open(t, redisstore.Options{URL: fmt.Sprintf("redis://%s:secret@%s/0", command, srv.addr())})
		before := rdb.XLen(ctx, "{redyn}:log").Val()
		_, err := denied.Apply(ctx, dns.Change{Zones: []dns.ZoneChange{{Zone: org, RRsets: []dns.RRset{gone}}}})
		if err == nil || !strings.Contains(err.Error(), "the Redis user lacks a right") {
			t.Errorf("without %s a change fails with %v", command, err)
		}
		if _, err := denied.DeleteZone(ctx, org, "", ""); err == nil || !strings.Contains(err.Error(), "the Redis user lacks a right") {
			t.Errorf("without %s deleting the zone fails with %v", command, err)
		}
		if _, err := s.Zone(ctx, org); err != nil {
			t.Errorf("without %s deleting the zone leaves %v", command, err)
		}
		if after := rdb.XLen(ctx, "{redyn}:log").Val(); after != before {
			t.Errorf("without %s the log has %d entries after that, and had %d", command, after, before)
		}
		if _, _, err := denied.Probe(ctx); err == nil || !strings.Contains(err.Error(), strings.ToUpper(command)) {
			t.Errorf("without %s the probe says %v", command, err)
		}
	}
	shown(t, f, apply(t, s, org, dns.NewRRset("new.example.org.", dns.TypeA, 60, "192.0.2.2")))
	if loads := f.Status().Reloads; loads != 1 {
		t.Errorf("the node has loaded %d times", loads)
	}
	sameAsStore(t, s, m)
}

// A zone is deleted wholly or not at all.
func TestUserWithoutRight(t *testing.T) {
	srv := startRedis(t)
	rdb := newServer(t, srv.url(), srv).rdb
	ctx := context.Background()
	if err := rdb.Do(ctx, "acl", "setuser", "redyn", "on", ">secret", "~{redyn}:*", "+@all", "-xadd").Err(); err != nil {
		t.Fatal(err)
	}
	s := open(t, redisstore.Options{URL: srv.url()})
	before := create(t, s, org, orgSets()...)
	denied := open(t, redisstore.Options{URL: fmt.Sprintf("redis://redyn:secret@%s/0", srv.addr())})
	_, err := denied.DeleteZone(ctx, org, "", "")
	if err == nil || !strings.Contains(err.Error(), "the Redis user lacks a right") {
		t.Errorf("deleting the zone fails with %v", err)
	}
	if z, err := s.Zone(ctx, org); err != nil || z.ID != before.ID || count(t, s, org) != len(orgSets()) {
		t.Errorf("zone is %+v, %v", z, err)
	}
	// A server out of memory takes it.
	if err := rdb.ConfigSet(ctx, "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.DeleteZone(ctx, org, "", ""); err != nil {
		t.Error(err)
	}
}

// syncBuffer is a buffer that a log may write to.
type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestTLS(t *testing.T) {
	cert, key, pool := certificate(t)
	port := freePort(t)
	startRedis(t, "--tls-port", strconv.Itoa(port), "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert, "--tls-auth-clients", "no")
	url := "rediss://127.0.0.1:" + strconv.Itoa(port)
	story(t, redisstore.Options{URL: url, TLS: &tls.Config{RootCAs: pool}})
	if err := open(t, redisstore.Options{URL: url}).Ping(context.Background()); err == nil {
		t.Error("a certificate that nobody vouches for is taken")
	}
}

// Connections that the server has closed while they were idle, as its timeout has it, cost no change.
func TestTLSIdle(t *testing.T) {
	ctx := context.Background()
	cert, key, pool := certificate(t)
	port := freePort(t)
	srv := startRedis(t, "--tls-port", strconv.Itoa(port), "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert, "--tls-auth-clients", "no")
	s := open(t, redisstore.Options{URL: "rediss://127.0.0.1:" + strconv.Itoa(port), TLS: &tls.Config{RootCAs: pool}})
	create(t, s, org, orgSets()...)
	admin := redis.NewClient(&redis.Options{Addr: srv.addr()})
	defer admin.Close()
	for last := range 3 {
		var several sync.WaitGroup
		for range 8 {
			several.Go(func() { _ = s.Ping(ctx) })
		}
		several.Wait()
		if n, err := admin.ClientKillByFilter(ctx, "TYPE", "normal").Result(); err != nil || n == 0 {
			t.Fatal(n, err)
		}
		time.Sleep(20 * time.Millisecond) // until their ends have come
		if r, err := update(s, auth.Use{}, address(last)); err != nil || r.ID == "" {
			t.Errorf("update %d comes to %+v, %v", last, r, err)
		}
	}
}

// certificate makes a certificate for 127.0.0.1 that signs itself.
func certificate(t testing.TB) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redis"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pool = x509.NewCertPool()
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(parsed)
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", keyDER), pool
}

func TestCluster(t *testing.T) {
	srv := startRedis(t, "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf")
	rdb := newServer(t, srv.url(), srv).rdb
	ctx := context.Background()
	if err := rdb.Do(ctx, "cluster", "addslotsrange", 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "cluster is up", func() error {
		info, err := rdb.ClusterInfo(ctx).Result()
		return holds(strings.Contains(info, "cluster_state:ok"), "%s %v", info, err)
	})
	story(t, redisstore.Options{URL: fmt.Sprintf("redis://%s?addr=%s", srv.addr(), srv.addr())})
}

func TestSentinel(t *testing.T) {
	primary := startRedis(t)
	replica := startRedis(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(primary.port))
	sentinel := startSentinel(t, primary)
	o := redisstore.Options{URL: fmt.Sprintf("redis://%s/0?master_name=redyn", sentinel)}
	story(t, o)

	s := open(t, o)
	ctx := context.Background()
	f, m := follow(t, s, "node")
	create(t, s, org, orgSets()...)
	rdb := redis.NewSentinelClient(&redis.Options{Addr: sentinel})
	defer rdb.Close()
	eventually(t, "sentinel knows the replica", func() error {
		replicas, err := rdb.Replicas(ctx, "redyn").Result()
		return holds(err == nil && len(replicas) == 1 && replicas[0]["master-link-status"] == "ok", "%v %v", replicas, err)
	})
	there := newServer(t, replica.url(), replica)
	eventually(t, "replica has the zone", func() error {
		last, err := there.rdb.HGet(ctx, "{redyn}:epoch", "log").Result()
		want, _ := newServer(t, primary.url(), primary).rdb.HGet(ctx, "{redyn}:epoch", "log").Result()
		return holds(err == nil && last == want, "%s, %v", last, err)
	})
	eventually(t, "replica becomes the primary", func() error {
		host, err := rdb.GetMasterAddrByName(ctx, "redyn").Result()
		if err == nil && host[1] == strconv.Itoa(replica.port) {
			return nil
		}
		// Once more if Sentinel has given up, as it does while it has not heard from the replica.
		return fmt.Errorf("%v %v; failover: %v", host, err, rdb.Failover(ctx, "redyn").Err())
	})
	var r redisstore.Result
	eventually(t, "store finds the new primary", func() (err error) {
		r, err = s.Apply(ctx, dns.Change{Zones: []dns.ZoneChange{{Zone: org, RRsets: []dns.RRset{www("192.0.2.77")}}}})
		return err
	})
	if err := f.Wait(ctx, r); err != nil {
		t.Fatal(err)
	}
	sameAsStore(t, s, m)
}

// startSentinel starts a Sentinel that watches the primary as "redyn", and returns its address.
func startSentinel(t testing.TB, primary *realServer) string {
	t.Helper()
	dir, port := t.TempDir(), freePort(t)
	conf := filepath.Join(dir, "sentinel.conf")
	text := fmt.Sprintf("port %d\nbind 127.0.0.1\ndir %s\nlogfile %s/log\nsentinel monitor redyn 127.0.0.1 %d 1\nsentinel down-after-milliseconds redyn 1000\n", port, dir, dir, primary.port)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("redis-server", conf, "--sentinel")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	rdb := redis.NewSentinelClient(&redis.Options{Addr: addr})
	defer rdb.Close()
	eventually(t, "sentinel answers", func() error { return rdb.Ping(context.Background()).Err() })
	return addr
}
