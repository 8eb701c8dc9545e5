package main

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"redyn/auth"
)

// sendSigned sets the addresses of each host, one by one, by signing its one-time tokens.
func (u *updateClient) sendSigned(ctx context.Context, addrs []netip.Addr) ([]updateResult, error) {
	var results []updateResult
	for _, h := range u.hosts {
		for _, a := range addrs {
			if err := u.setSigned(ctx, h, a); err != nil {
				return nil, fmt.Errorf("%s: %w", h, err)
			}
		}
		results = append(results, updateResult{h.String(), "ok", addrs})
	}
	return results, nil
}

// setSigned tries a second time where a token may have ended before it came back.
func (u *updateClient) setSigned(ctx context.Context, h updateHost, addr netip.Addr) error {
	a, err := u.signToken(ctx, h, addr)
	if err == nil && a.status == http.StatusUnauthorized {
		a, err = u.signToken(ctx, h, addr)
	}
	if err != nil {
		return err
	}
	return a.ok()
}

// signToken fetches a token, signs it with host and address, and sends the signature.
func (u *updateClient) signToken(ctx context.Context, h updateHost, addr netip.Addr) (updateAnswer, error) {
	id := url.PathEscape(h.String())
	target := u.url.JoinPath("token", id)
	target.RawQuery = "pure"
	a, err := u.ask(ctx, u.any, http.MethodGet, target, nil, nil)
	if err == nil {
		err = a.fault()
	}
	if err != nil {
		return a, err
	}
	signed := auth.Signed{Host: h.id, Name: url.PathEscape(h.name), Token: strings.TrimSpace(a.body), IP: addr.String()}
	signature, err := signUpdate(u.proof.key, signed.Message())
	if err != nil {
		return a, err
	}
	form := url.Values{"signature": {base64.StdEncoding.EncodeToString(signature)}, "ipAddress": {signed.IP}}
	return u.ask(ctx, u.any, http.MethodPost, u.url.JoinPath("update", id), nil, form)
}

// signUpdate signs as openssl dgst -sha256 -sign does, or, with Ed25519, pkeyutl -sign -rawin.
func signUpdate(key crypto.Signer, message []byte) ([]byte, error) {
	if _, ok := key.Public().(ed25519.PublicKey); ok {
		return key.Sign(rand.Reader, message, crypto.Hash(0))
	}
	sum := sha256.Sum256(message)
	return key.Sign(rand.Reader, sum[:], crypto.SHA256)
}

// readSigner reads a private key that a server's public key can be of.
func readSigner(flag, path string) (crypto.Signer, error) {
	text, err := readPrivate(flag, path)
	if err != nil {
		return nil, err
	}
	key, err := parseSigner(text)
	if err == nil {
		err = checkSigner(key)
	}
	if err != nil {
		return nil, usagef("--%s: %s: %w", flag, path, err)
	}
	return key, nil
}

// parseSigner reads the first private key in PEM; openssl ecparam writes the curve before it.
func parseSigner(text []byte) (crypto.Signer, error) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return nil, errors.New("it holds no private key in PEM, which begins with -----BEGIN PRIVATE KEY-----")
		}
		if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
			return nil, errors.New("the private key is encrypted; expected one that can be read: openssl pkey -in FILE -out NEW")
		}
		var key any
		var err error
		switch block.Type {
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		default:
			continue
		}
		signer, ok := key.(crypto.Signer)
		if err == nil && !ok {
			err = errors.New("it cannot sign")
		}
		if err != nil {
			return nil, fmt.Errorf("read the private key: %w", err)
		}
		return signer, nil
	}
}

// checkSigner holds the key against what servers take.
func checkSigner(key crypto.Signer) error {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	_, err = auth.ParsePublicKey(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	return err
}
