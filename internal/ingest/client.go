package ingest

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"time"
)

// client is the certificate of a TLS client, if it is good now. The handshake
// has verified it once; since then its time may have ended, or its CA been taken
// out, and a connection lasts for as long as somebody uses it.
func (s *Server) client(state *tls.ConnectionState, now time.Time) *x509.Certificate {
	if state == nil || len(state.VerifiedChains) == 0 {
		return nil
	}
	leaf := state.VerifiedChains[0][0]
	if s.clientCAs == nil {
		return leaf
	}
	roots := s.clientCAs()
	if roots == nil { // for x509, that would be the system's
		return nil
	}
	between := x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		between.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return nil
	}
	return leaf
}

// certified reports whether the sender has to show a certificate. Judging one
// takes longer than all else, and is left out for others.
func (snd *sender) certified() bool { return slices.Contains(snd.checks, "certificate") }
