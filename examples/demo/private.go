package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/operator"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// privateBusiness has no key and sees no certificate: it hands what is sealed to its platform operator (PF事業者), and
// keeps the operator's verdict as evidence.
type privateBusiness struct {
	operator sign.PlatformVerifier
	now      func() time.Time
	log      *evidence.Log
	stamper  *stamper
}

func newPrivateBusiness(address, token string, now func() time.Time) (*privateBusiness, error) {
	op, err := operator.New(operator.Config{
		URL: address, Now: now,
		Authorize: func(r *http.Request) error { r.Header.Set("Authorization", "Bearer "+token); return nil },
	})
	if err != nil {
		return nil, err
	}
	log, err := evidence.OpenLog(evidence.LogConfig{Store: evidence.NewMemory(), Now: now})
	if err != nil {
		return nil, err
	}
	return &privateBusiness{operator: op, now: now, log: log}, nil
}

// verify has the operator verify and keeps its verdict. The operator sees a digest: that it is the document's is
// checked here.
func (p *privateBusiness) verify(
	ctx context.Context,
	res *signapi.Unverified,
	document string,
) (*sign.Verdict, *evidence.Record, error) {
	shown, err := sign.Prepare(ctx, sign.Document{Reader: strings.NewReader(document)}, res.Transaction.Mode)
	if err != nil {
		return nil, nil, err
	}
	if shown.Digest != res.Transaction.Digest {
		return nil, nil, &sign.Error{Reason: sign.ReasonDocument, Step: "document"}
	}
	verdict, err := p.operator.Verify(ctx, res.Sealed, res.Transaction)
	if err != nil {
		return nil, nil, err
	}
	options, err := p.stamper.stamp(ctx, p.log, []byte(res.Sealed.RevealJWE()))
	if err != nil {
		return nil, nil, err
	}
	record, err := evidence.FromVerdict(evidence.Judged{Verdict: verdict, Sealed: res.Sealed,
		Transaction: res.Transaction}, p.now(), append(options, evidence.Basis("demonstration"))...)
	if err != nil {
		return nil, nil, err
	}
	if _, err := p.log.AppendRecords(ctx, record); err != nil {
		return nil, nil, err
	}
	return verdict, record, nil
}
