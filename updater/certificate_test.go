package updater

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// writeCertificate writes a certificate of its own making with that serial, and its key.
func writeCertificate(t testing.TB, certFile, keyFile string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "dyn.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"dyn.example"},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if _, err := LoadCertificate(certFile, keyFile, nil); err == nil {
		t.Fatal("a certificate is read that is not there")
	}
	writeCertificate(t, certFile, keyFile, 1)
	cert, err := LoadCertificate(certFile, keyFile, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := serveTLS(t, Options{}, cert.Config())
	f := func(path string, serial int64) *http.Response {
		t.Helper()
		transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
		defer transport.CloseIdleConnections()
		r, err := (&http.Client{Transport: transport}).Get("https://" + s.addr + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		if got := r.TLS.PeerCertificates[0].SerialNumber.Int64(); got != serial {
			t.Errorf("certificate %d is shown; want %d", got, serial)
		}
		if got := r.Header.Get("Strict-Transport-Security"); got != "max-age=31536000" {
			t.Errorf("%s: Strict-Transport-Security is %q", path, got)
		}
		return r
	}
	if r := f("/myip", 1); r.StatusCode != 200 {
		t.Errorf("status %d", r.StatusCode)
	}
	if r := f("/nic/update", 1); r.StatusCode != 401 {
		t.Errorf("status %d", r.StatusCode)
	}
	f("/?a=%zz", 1)

	plain := s.dial()
	plain.send("GET /myip HTTP/1.1\r\nHost: dyn.example\r\n\r\n")
	plain.read("GET").is(t, 400, "this port speaks TLS; expected https://")
	plain.ended()

	// One that is broken changes nothing; one that is right is shown with the next connection.
	if err := os.WriteFile(certFile, []byte("half a fi"), 0o600); err != nil {
		t.Fatal(err)
	}
	cert.looked = time.Time{}
	f("/myip", 1)
	writeCertificate(t, certFile, keyFile, 2)
	cert.looked = time.Time{}
	f("/myip", 2)
	if got := cert.get(time.Now()); got != cert.get(time.Now()) {
		t.Error("the certificate is read again though it did not change")
	}

	// Without TLS there is nothing to hold browsers to.
	if r := serve(t, Options{}).get("/myip"); r.Header.Get("Strict-Transport-Security") != "" {
		t.Error("there is HSTS without TLS")
	}
}
