package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// Bounds of RSA keys in bits: below they can be broken, above they take too long for a stranger.
const (
	minRSABits = 2048
	maxRSABits = 8192
)

// maxPEMLen is room for an RSA key of maxRSABits and some text around it.
const maxPEMLen = 16 * 1024

// Key is a public key that verifies signatures: RSA, Ed25519, or ECDSA on P-256 or P-384. The
// key's type decides the algorithm, never the request.
type Key struct {
	public any
	class  class
	name   string // of class and size
	der    []byte // SubjectPublicKeyInfo
}

// class is what makes keys take the same time.
type class int

const (
	classRSA class = iota
	classEd25519
	classP256
	classP384
	classes // how many there are
)

// ParsePublicKey reads a public key in PEM: SubjectPublicKeyInfo ("PUBLIC KEY", as openssl pkey
// -pubout writes it), or PKCS#1 ("RSA PUBLIC KEY").
func ParsePublicKey(text string) (*Key, error) {
	if len(text) > maxPEMLen {
		return nil, fmt.Errorf("the public key is longer than %d bytes", maxPEMLen)
	}
	block, rest := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("the public key is not PEM, which begins with -----BEGIN PUBLIC KEY-----")
	}
	if next, _ := pem.Decode(rest); next != nil {
		return nil, errors.New("the PEM text holds more than one key; give each its own credential")
	}
	var public any
	var err error
	switch {
	case block.Type == "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case block.Type == "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return nil, errors.New("the PEM text holds a private key, which stays with its owner; give the public one: openssl pkey -pubout")
	default:
		return nil, fmt.Errorf("the PEM text holds %.40q, not a public key", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("read the public key: %w", err)
	}
	return newKey(public)
}

func newKey(public any) (*Key, error) {
	key := &Key{public: public}
	switch k := public.(type) {
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return nil, fmt.Errorf("the RSA key has %d bits; %d to %d are right", bits, minRSABits, maxRSABits)
		}
		if k.E < 3 || k.E%2 == 0 || k.N.Bit(0) == 0 {
			return nil, errors.New("the RSA key is broken")
		}
		key.class, key.name = classRSA, fmt.Sprintf("RSA %d", k.N.BitLen())
	case ed25519.PublicKey:
		key.class, key.name = classEd25519, "Ed25519"
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			key.class = classP256
		case elliptic.P384():
			key.class = classP384
		default:
			return nil, fmt.Errorf("the ECDSA key is on curve %s; P-256 and P-384 are right", k.Curve.Params().Name)
		}
		key.name = "ECDSA " + k.Curve.Params().Name
	default:
		return nil, errors.New("the public key is neither RSA nor Ed25519 nor ECDSA")
	}
	var err error
	key.der, err = x509.MarshalPKIXPublicKey(public)
	return key, err
}

// PEM writes the key as SubjectPublicKeyInfo.
func (k *Key) PEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: k.der}))
}

// String names the algorithm, and the key by the SHA-256 of its DER form.
func (k *Key) String() string {
	sum := sha256.Sum256(k.der)
	return k.name + " SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// Verify reports whether signature is the key's over message: RSA PKCS#1 v1.5 with SHA-256,
// ECDSA with SHA-256 in ASN.1 DER, as openssl dgst -sha256 -sign makes them, or Ed25519.
func (k *Key) Verify(message, signature []byte) bool {
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		sum := sha256.Sum256(message)
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature) == nil
	case *ecdsa.PublicKey:
		sum := sha256.Sum256(message)
		return ecdsa.VerifyASN1(public, sum[:], signature)
	case ed25519.PublicKey:
		return ed25519.Verify(public, message, signature)
	}
	return false
}
