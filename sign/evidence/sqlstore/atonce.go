package sqlstore

import (
	"strconv"

	"github.com/kakunin-go/kakunin/internal/sqlkeep"
)

// In PostgreSQL an append is one statement, and so one message to the server and one answer: the head is changed if the
// log has the size that the writer knows and none of the signature values, and what follows inserts for the row that
// was changed. Size and signature values are of one moment: what the statement sees of the head is what it sees of the
// entries, and a head that somebody changed since is not changed again.

// maxPacked is how many bytes are sent in one statement.
const maxPacked = 32 << 20

func (p postgreSQL) appendAtOnce(size int64, rows []row) (sqlkeep.Step, bool) {
	asked := len(asked(rows))
	var held, signed, bytes int
	for _, r := range rows {
		bytes += len(r.record) + len(r.hashes) + len(r.part) + len(r.key)
		if r.held {
			held++
		}
		if r.signature != nil {
			signed++
		}
	}
	form := atOnce{p, asked > 0, held > 0}
	switch {
	case len(rows) == 1:
		return form.one(size, rows[0]), true
	case len(rows) == 0 || bytes > maxPacked || asked > 0 && asked < signed:
		return sqlkeep.Step{}, false
	default:
		return form.packed(size, rows), true
	}
}

// moved changes the head, unless the condition that follows WHERE does not hold.
func (p postgreSQL) moved(unless string) string {
	return `WITH moved AS (UPDATE $_head SET size = $1::bigint WHERE id = 1 AND size = $2::bigint AND ` + p.Durably() +
		unless + ` RETURNING 1)`
}

// recorded finds an entry with a signature value. It is an equality that the planner does not see, of which it wants
// the first in the order of the index: so it uses the index whatever it believes about the table. Of an equality in a
// table that was never analyzed it believes that every two hundredth row has it, and reads them one by one.
func recorded(signature string) string {
	return `(SELECT signature FROM $_entries WHERE signature IS NOT NULL AND signature BETWEEN ` + signature +
		` AND ` + signature + ` ORDER BY signature LIMIT 1)`
}

// atOnce are the forms of the statement.
type atOnce struct {
	postgreSQL
	asked, held bool
}

// one appends one entry.
func (f atOnce) one(size int64, r row) sqlkeep.Step {
	unless := ""
	if f.asked {
		unless = ` AND ` + recorded(`$5::bytea`) + ` IS NULL`
	}
	q := f.moved(unless)
	args := []any{size + 1, size, r.record, r.hashes, r.signature}
	if f.held {
		q += `, part AS (INSERT INTO $_held (idx, sealed, held) SELECT $2::bigint, $6::int, $7::bytea FROM moved)` +
			`, key AS (INSERT INTO $_held_keys (idx, held_key)` +
			` SELECT $2::bigint, $8::bytea FROM moved WHERE $6::int = 1)`
		args = append(args, r.sealed, r.part, r.key)
	}
	q += ` INSERT INTO $_entries (idx, record, hashes, signature)` +
		` SELECT $2::bigint, $3::bytea, $4::bytea, $5::bytea FROM moved`
	return sqlkeep.Step{Statement: q, Args: args}
}

// packed appends any number of entries. Each column is one value, the pieces one behind the other, with the places
// where they end: few arguments, and one form of the statement for all numbers of rows.
func (f atOnce) packed(size int64, rows []row) sqlkeep.Step {
	var records, hashes, signatures, parts, keys pieces
	var places, sealed, sealedPlaces []int64
	for _, r := range rows {
		records.add(r.record)
		hashes.add(r.hashes)
		signatures.add(r.signature)
		if r.held {
			parts.add(r.part)
			places, sealed = append(places, r.idx), append(sealed, int64(r.sealed))
		}
		if r.sealed == 1 {
			keys.add(r.key)
			sealedPlaces = append(sealedPlaces, r.idx)
		}
	}
	unless := ""
	if f.asked {
		unless = ` AND NOT EXISTS (SELECT FROM (SELECT ` + piece(7) + ` AS signature FROM ` + eachOf(7) + `) AS asked, LATERAL ` +
			recorded(`asked.signature`) + ` AS recorded)`
	}
	q := f.moved(unless)
	args := []any{
		size + int64(len(rows)), size,
		records.all, list(records.ends), hashes.all, list(hashes.ends), signatures.all, list(signatures.ends),
	}
	if f.held {
		q += `, part AS (INSERT INTO $_held (idx, sealed, held) SELECT ($11::bigint[])[n], ($12::int[])[n], ` + piece(9) +
			` FROM moved, ` + eachOf(9) + `)` +
			`, key AS (INSERT INTO $_held_keys (idx, held_key) SELECT ($15::bigint[])[n], ` + piece(13) +
			` FROM moved, ` + eachOf(13) + `)`
		args = append(args, parts.all, list(parts.ends), list(places), list(sealed),
			keys.all, list(keys.ends), list(sealedPlaces))
	}
	q += ` INSERT INTO $_entries (idx, record, hashes, signature) SELECT $2::bigint + n - 1, ` + piece(3) + `, ` +
		piece(5) + `, NULLIF(` + piece(7) + `, '') FROM moved, ` + eachOf(3)
	return sqlkeep.Step{Statement: q, Args: args}
}

// pieces are byte strings in one.
type pieces struct {
	all  []byte
	ends []int64
}

func (p *pieces) add(b []byte) {
	p.all = append(p.all, b...)
	p.ends = append(p.ends, int64(len(p.all)))
}

// piece is the expression for piece n of the arguments at and at+1, of which eachOf are the numbers, from 1 on.
func piece(at int) string {
	all, ends := "$"+strconv.Itoa(at)+"::bytea", "($"+strconv.Itoa(at+1)+"::int[])"
	from := `coalesce(` + ends + `[n - 1], 0)`
	return `substring(` + all + ` FROM ` + from + ` + 1 FOR ` + ends + `[n] - ` + from + `)`
}

func eachOf(at int) string {
	return `(SELECT n::int FROM unnest($` + strconv.Itoa(at+1) + `::int[]) WITH ORDINALITY AS e(place, n)) AS each`
}

// list is an array as text, which every driver can send.
func list(numbers []int64) string {
	b := []byte{'{'}
	for i, n := range numbers {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, n, 10)
	}
	return string(append(b, '}'))
}
