package verify

import (
	"cmp"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// minRSA is the shortest RSA key of a certificate, in bits. Amazon's have 2048.
const minRSA = 2048

// An sns checks messages of Amazon SNS.
// https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
//
// The message itself says which of two algorithms signed it; both are taken,
// because a topic changes from one to the other while it is in use.
type sns struct {
	keys   []key            // DER of certificates
	public []*rsa.PublicKey // theirs
	topics []string
}

func newSNS(c SNS) (check, error) {
	s := &sns{topics: c.Topics}
	keys, err := newKeys(c.Keys, func(text string) ([]byte, error) {
		cert, public, err := readCertificate(text)
		if err != nil {
			return nil, err
		}
		s.public = append(s.public, public)
		return cert.Raw, nil
	})
	s.keys = keys
	return s, errors.Join(err, checkTopics(c.Topics))
}

func checkTopics(arns []string) error {
	if len(arns) == 0 {
		return errors.New("topics: there is none, and every AWS account can sign messages of its own")
	}
	for i, t := range arns {
		if p := strings.Split(t, ":"); len(p) != 6 || p[0] != "arn" || p[2] != "sns" {
			return fmt.Errorf("topics[%d]: %q is not a topic's ARN, such as arn:aws:sns:us-east-1:123456789012:changes", i, t)
		}
	}
	return nil
}

// readCertificate reads one PEM block. A certificate's own dates are not judged:
// it was configured, and its key says from when to when.
func readCertificate(text string) (*x509.Certificate, *rsa.PublicKey, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" || strings.TrimSpace(string(rest)) != "" {
		return nil, nil, errors.New("is not one certificate in PEM form")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, nil, errors.New("is not a certificate")
	}
	public, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok || public.N.BitLen() < minRSA {
		return nil, nil, fmt.Errorf("is not the certificate of an RSA key of %d bits or more", minRSA)
	}
	return cert, public, nil
}

func (s *sns) verify(r *Request, now time.Time) (Delivery, Reason) {
	m, refusal := readMessage(r.Body)
	id, mismatch := choose(s.keys, now, BadSignature, func(i int) int { return m.fits(s.public[i]) })
	switch {
	case refusal != "":
		return Delivery{}, refusal
	case mismatch != "" && mismatch != InactiveKey:
		return Delivery{}, mismatch
	case !slices.Contains(s.topics, m.fields["TopicArn"]):
		return Delivery{}, cmp.Or(mismatch, BadTopic)
	case mismatch != "":
		return outOf("sns", id)
	}
	proof := sha256.Sum256([]byte(m.text))
	return Delivery{ID: m.fields["MessageId"], SignsID: true, SignsBody: true, Body: m.vouched(), Proof: proof[:], Uses: []Use{{"sns", id}}}, ""
}

// fits is 1 when the key made the signature.
func (m message) fits(public *rsa.PublicKey) int {
	if !m.hash.Available() {
		return 0 // the message could not be read
	}
	h := m.hash.New()
	h.Write([]byte(m.text))
	if rsa.VerifyPKCS1v15(public, m.hash, h.Sum(nil), m.signature) != nil {
		return 0
	}
	return 1
}

func (s *sns) about() about {
	return about{name: "sns", keys: ids(s.keys), ends: ends(s.keys), signsBody: true,
		weak: []string{"a message of SignatureVersion 1 is signed with SHA-1; set the topic's SignatureVersion to 2"}}
}
