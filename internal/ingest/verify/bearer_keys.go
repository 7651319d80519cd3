package verify

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"

	"github.com/MicahParks/jwkset"
)

// errKeysAway is why a token cannot be judged at all.
var errKeysAway = errors.New("the issuer's keys cannot be fetched")

// A keySet holds an issuer's keys by their kid. There are two: fixed keys, and
// a fetcher's.
type keySet = jwkset.Storage

// newFixed reads the keys themselves.
func newFixed(raw []byte) (keySet, error) {
	keys, err := readKeys(raw)
	if err != nil {
		return nil, err
	}
	set := jwkset.NewMemoryStorage()
	return set, set.KeyReplaceAll(context.Background(), keys)
}

// readKeys reads a JSON Web Key Set (RFC 7517). A key that is of no use here is
// left out, as issuers publish others beside it; a set without a useful one is
// an error. Its errors say nothing of what is in the set.
func readKeys(raw []byte) (keys []jwkset.JWK, err error) {
	var set jwkset.JWKSMarshal
	if json.Unmarshal(raw, &set) != nil {
		return nil, errors.New("is not a JSON Web Key Set (RFC 7517)")
	}
	for _, m := range set.Keys {
		if k, err := jwkset.NewJWKFromMarshal(m, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{}); err == nil && useful(k) {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("holds no public key with a kid that could verify: want RSA of 2048 bits or more, EC or Ed25519")
	}
	return keys, nil
}

// useful takes public keys for signatures that a token can name. Shared keys, and
// the private parts of others, were not read.
func useful(k jwkset.JWK) bool {
	m := k.Marshal()
	if m.KID == "" || m.USE != "" && m.USE != jwkset.UseSig {
		return false
	}
	switch public := k.Key().(type) {
	case *rsa.PublicKey:
		return public.N.BitLen() >= minRSA
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return true
	}
	return false
}
