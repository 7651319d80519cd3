package graph

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"

	"software.sslmate.com/src/go-pkcs12"
)

var (
	errEncrypted = errors.New("its key is encrypted, and PEM keys with a password are not read; decrypt it with openssl pkey, or use PKCS#12 and a password")
	errTwoKeys   = errors.New("it holds more than one key; leave one")
	errNoKey     = errors.New("it holds no private key; put the certificate and its key into one file")
	errNoCert    = errors.New("it holds no certificate; put the certificate and its key into one file")
)

// parsePEM reads the certificates and the one key of a PEM file. The parsers'
// errors end here: they may describe the key.
func parsePEM(data []byte) (keyPair, error) {
	var key any
	var certs []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case block.Type == "CERTIFICATE":
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return keyPair{}, errors.New("a certificate in it cannot be read")
			}
			certs = append(certs, c)
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			if key != nil {
				return keyPair{}, errTwoKeys
			}
			k, err := parseKey(block)
			if err != nil {
				return keyPair{}, err
			}
			key = k
		}
	}
	return join(key, certs)
}

func join(key any, certs []*x509.Certificate) (keyPair, error) {
	switch {
	case key == nil:
		return keyPair{}, errNoKey
	case len(certs) == 0:
		return keyPair{}, errNoCert
	}
	k, err := rsaKey(key)
	if err != nil {
		return keyPair{}, err
	}
	return pairUp(k, certs)
}

func parseKey(b *pem.Block) (any, error) {
	if b.Type == "ENCRYPTED PRIVATE KEY" || b.Headers["DEK-Info"] != "" {
		return nil, errEncrypted
	}
	if k, err := x509.ParsePKCS8PrivateKey(b.Bytes); err == nil {
		return k, nil
	}
	if k, err := x509.ParsePKCS1PrivateKey(b.Bytes); err == nil {
		return k, nil
	}
	if k, err := x509.ParseECPrivateKey(b.Bytes); err == nil {
		return k, nil
	}
	return nil, errors.New("its private key cannot be read; write it as PKCS#8 with openssl pkey")
}

// parsePKCS12 reads a .p12 or .pfx file.
func parsePKCS12(data []byte, password string) (keyPair, error) {
	key, leaf, others, err := pkcs12.DecodeChain(data, password)
	var unknown pkcs12.NotImplementedError
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword), errors.Is(err, pkcs12.ErrDecryption):
		return keyPair{}, errors.New("its password is wrong; give the one that the PKCS#12 file was written with")
	case errors.As(err, &unknown):
		return keyPair{}, errors.New("it is PKCS#12 in a form that is not read; write it anew with openssl pkcs12 -export")
	case err != nil:
		return keyPair{}, errors.New("it is neither PEM nor PKCS#12, or lacks the certificate or its key")
	}
	return join(key, append([]*x509.Certificate{leaf}, others...))
}
