package tracing

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// An upload posts spans to a collector: OTLP over HTTP, as protobuf. It is what
// OpenTelemetry's own HTTP exporter does, which carries a gRPC stack along, is
// configured by the environment, and quotes the collector's answers.
type upload struct {
	url     string
	headers func() (http.Header, error)
	http    *http.Client
}

func newUpload(c Config) *upload {
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true, IdleConnTimeout: keepAlive, TLSHandshakeTimeout: tryFor, MaxResponseHeaderBytes: maxReply,
	}
	return &upload{url: c.Endpoint, headers: c.Headers, http: &http.Client{Transport: t, Timeout: tryFor,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}} // it would take the key along
}

// Start and Stop are otlptrace.Client's; connections come and go by themselves.
func (u *upload) Start(context.Context) error { return nil }
func (u *upload) Stop(context.Context) error  { return nil }

// A refusedError is the collector's word that it does not want the spans: to send
// them again is of no use.
type refusedError struct{ status int }

func (e *refusedError) Error() string {
	return fmt.Sprintf("the collector answered %d %s", e.status, http.StatusText(e.status))
}

// A partialError is that the collector has taken the rest.
type partialError struct{ rejected int }

func (e *partialError) Error() string {
	return fmt.Sprintf("the collector rejected %d spans", e.rejected)
}

// UploadTraces sends one request.
func (u *upload) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	// An ExportTraceServiceRequest has the same one field; its package has gRPC.
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return errors.New("encoding spans")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("tracing.endpoint is no URL")
	}
	if u.headers != nil {
		if req.Header, err = u.headers(); err != nil {
			return err
		}
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("User-Agent", "changerelay")
	resp, err := u.http.Do(req)
	if err != nil {
		return fmt.Errorf("asking the collector: %w", cause(err))
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	return judge(resp.StatusCode, reply, err)
}

// judge says what an answer means, in our own words.
func judge(status int, reply []byte, err error) error {
	switch {
	case status/100 == 2 && err != nil:
		return nil // it has them
	case status/100 == 2:
		if n := rejected(reply); n > 0 {
			return &partialError{n}
		}
		return nil
	case status == http.StatusTooManyRequests, status == http.StatusBadGateway, status == http.StatusServiceUnavailable, status == http.StatusGatewayTimeout:
		return fmt.Errorf("the collector answered %d %s", status, http.StatusText(status))
	}
	return &refusedError{status}
}

// cause is the error without the URL around it.
func cause(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return u.Err
	}
	return err
}

// rejected reads an ExportTraceServiceResponse: how many spans were not taken.
func rejected(reply []byte) int {
	n, _ := number(field(reply, 1), 1) // partial_success.rejected_spans
	return int(min(n, batchMost))
}

// field returns the bytes of a message's field; nil without it.
func field(b []byte, want protowire.Number) []byte {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil
		}
		b = b[n:]
		if num == want && typ == protowire.BytesType {
			v, _ := protowire.ConsumeBytes(b)
			return v
		}
		if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
			return nil
		}
		b = b[n:]
	}
	return nil
}

// number returns a message's field that is a whole number.
func number(b []byte, want protowire.Number) (uint64, bool) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return 0, false
		}
		b = b[n:]
		if num == want && typ == protowire.VarintType {
			v, n := protowire.ConsumeVarint(b)
			return v, n > 0
		}
		if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
			return 0, false
		}
		b = b[n:]
	}
	return 0, false
}
