package graph

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
)

// A Certificate is the application's, with its key and the certificates that
// signed it: PEM, or PKCS#12 (RFC 7292) in DER form. The key is RSA with at
// least 2048 bits, as MSAL signs PS256 only.
type Certificate struct {
	Read     func() ([]byte, error)
	Password func() (string, error) // of PKCS#12; nil: it has the empty one
}

// A keyPair is what a certificate file holds. chain begins with the leaf.
type keyPair struct {
	key   *rsa.PrivateKey
	chain []*x509.Certificate
}

func (e *entra) readCertificate() (proof, error) {
	c := e.conf.Credential.Certificate
	if c.Read == nil {
		return proof{}, errors.New("Read is nil")
	}
	data, err := c.Read()
	if err != nil {
		return proof{}, err
	}
	pair, password, err := c.parse(data)
	if err != nil {
		return proof{}, err
	}
	if err := pair.check(e.conf.Now()); err != nil {
		return proof{}, err
	}
	return proof{id: digest(string(data), password), ends: pair.chain[0].NotAfter, open: func() (requester, error) {
		cred, err := confidential.NewCredFromCert(pair.chain, pair.key)
		if err != nil {
			return nil, errors.New("MSAL cannot use it")
		}
		// With the chain Entra can trust by name and issuer, and a renewed certificate needs no upload.
		return e.open(cred, confidential.WithX5C())
	}}, nil
}

func (c *Certificate) parse(data []byte) (pair keyPair, password string, err error) {
	if c.Password != nil {
		if password, err = c.Password(); err != nil {
			return keyPair{}, "", err
		}
	}
	if bytes.Contains(data, []byte("-----BEGIN ")) {
		if c.Password != nil {
			return keyPair{}, "", errors.New("it is PEM, which takes no password; leave the password out")
		}
		pair, err = parsePEM(data)
		return pair, "", err
	}
	pair, err = parsePKCS12(data, password)
	return pair, password, err
}

// check tells what Entra would only call an invalid client.
func (p keyPair) check(now time.Time) error {
	leaf := p.chain[0]
	switch {
	case p.key.N.BitLen() < minRSA:
		return fmt.Errorf("its RSA key has %d bits; use one of 2048 or more", p.key.N.BitLen())
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("it is not valid before %s; wait, or use another until then", day(leaf.NotBefore))
	case now.After(leaf.NotAfter):
		return fmt.Errorf("it expired at %s; put a new one in, and upload it to the app registration", day(leaf.NotAfter))
	}
	return nil
}

func day(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// rsaKey takes any parsed key and wants RSA.
func rsaKey(key any) (*rsa.PrivateKey, error) {
	if k, ok := key.(*rsa.PrivateKey); ok {
		return k, nil
	}
	return nil, errors.New("its key is not RSA; make a certificate with an RSA key of 2048 bits or more")
}

// pairUp puts the key's certificate first; the order in a file means nothing.
func pairUp(key *rsa.PrivateKey, certs []*x509.Certificate) (keyPair, error) {
	for i, c := range certs {
		if key.PublicKey.Equal(c.PublicKey) {
			chain := append([]*x509.Certificate{c}, certs[:i]...)
			return keyPair{key, append(chain, certs[i+1:]...)}, nil
		}
	}
	return keyPair{}, errors.New("its key belongs to none of its certificates; put the two together that were made together")
}
