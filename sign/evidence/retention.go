package evidence

import (
	"time"

	"github.com/kakunin-go/kakunin/fourinfo/law"
)

// Retention says how long the held part of a record must be kept by law, and when it must be gone. It is part of the
// record; [Log.Purge] acts on it.
type Retention struct {
	// Law names the law or the rule, Record what it calls the record, such as 確認記録. The same texts as for [Basis] are
	// refused.
	Law    string `json:"law"`
	Record string `json:"record,omitempty"`
	// Start is the event from which the period counts. law.Transaction is the verification itself; of any other event
	// only the application knows when it happened.
	Start law.Event `json:"start"`
	// Years, Months and Days are the period. It counts from the day after the event in Japan (初日不算入, 民法140条) and
	// ends with its last day (民法143条).
	Years  int `json:"years,omitempty"`
	Months int `json:"months,omitempty"`
	Days   int `json:"days,omitempty"`
	// GraceDays are days after the period in which the part may still be there: until then a purge has to have run.
	GraceDays int `json:"grace_days,omitempty"`
}

// RetentionOf is what a law asks of the record of a verification: the first of the profile's. ok is false when the law
// asks to keep none, such as for dating services.
func RetentionOf(p law.Profile) (r Retention, ok bool) {
	if len(p.Retentions) == 0 {
		return Retention{}, false
	}
	first := p.Retentions[0]
	return Retention{Law: p.Law.JA, Record: first.Record.JA, Start: first.Event, Years: first.Years}, true
}

// WithRetention puts the retention into the record; its law is the record's basis if [Basis] names none.
func WithRetention(r Retention) Option { return func(o *options) { o.retention = &r } }

// maxPeriod bounds each number of a retention: a hundred years in days.
const maxPeriod = 36525

// valid reports whether the retention can be kept and reckoned with.
func (r *Retention) valid() bool {
	for _, n := range []int{r.Years, r.Months, r.Days, r.GraceDays} {
		if n < 0 || n > maxPeriod {
			return false
		}
	}
	return r.Law != "" && plainText(r.Law) && plainText(r.Record) && kindName(string(r.Start)) && r.Years <= 200
}

// Ends returns the first moment after the period that began with an event: midnight in Japan. GraceDays are not in it.
func (r *Retention) Ends(event time.Time) time.Time {
	japan := time.FixedZone("JST", 9*60*60)
	year, month, day := event.In(japan).Date()
	// The day of the same number in the last month, or the last day of that month if it has none (民法143条2項).
	first := time.Date(year+r.Years, month+time.Month(r.Months), 1, 0, 0, 0, 0, japan)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(day, last)-1+r.Days+1)
}

// DeleteAfter returns when the part must be gone: [Retention.Ends] and the days of grace.
func (r *Retention) DeleteAfter(event time.Time) time.Time {
	return r.Ends(event).AddDate(0, 0, r.GraceDays)
}
