package daa

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/strictjson"
	"github.com/kakunin-go/kakunin/sign/operator"
)

// operatorPlain are the members of the operator's requests and answers that the inspector shows without being asked.
// Under another wire profile everything is hidden at first.
var operatorPlain = []string{
	"hash_algorithm", "digest", "signature_mode", "transaction_id", "check_method", "identify_user", "result_code",
	"verification_id", "verified_at", "source_updated_at", "error",
}

// shownCharacters is how much of a value the inspector shows.
const shownCharacters = 200

// operatorMembers lists those of a request or an answer; long ones, such as what is sealed, by their length.
func (f frame) operatorMembers(raw []byte) []detail {
	list := f.members("", raw, false)
	for i := range list {
		list[i].Hidden = !slices.Contains(operatorPlain, list[i].Name)
		if n := len(list[i].Value); n > shownCharacters {
			size := strconv.Itoa(n)
			list[i].Value = f.T("("+size+"文字、省略)", "("+size+" characters, shortened)")
			list[i].Hidden = false
		}
	}
	return list
}

// teachOperator says what to change after an answer of the simulated platform operator that is no good verdict.
func (i *inspected) teachOperator(e *exchange, in kakunin.Language) {
	object, err := strictjson.Object(e.answer)
	if err != nil {
		return
	}
	names, code := operator.DefaultWire(), ""
	for _, name := range []string{names.CodeField, names.ErrorField} {
		if text, ok := strictjson.String(object[name]); ok && text != "" {
			code = text
		}
	}
	if code == names.Codes.OK || code == "" && e.status == http.StatusOK {
		return
	}
	i.Code, i.Says, i.Description = code, code, code // there is no text beside it
	c := names.Codes
	lessons := map[string]lesson{
		"invalid_token": {
			"", "RFC 6750, section 2.1",
			"登録されたクライアントの、PF事業者用のトークンをAuthorization: Bearerで送る。cardsim serviceが表示する",
			"send Authorization: Bearer with the operator token of a registered client; cardsim service prints it",
		},
		c.Request: {
			"", "wire profile of the operator (assumed)",
			"hash_algorithm(SHA-256)、digest(どちらの方式でも文書のSHA-256の32バイトのbase64)、" +
				"signature_mode(bare-hashかdigest-info)、transaction_idと、sign_certificate_jweか、" +
				"signatureとcertificateを、JSONオブジェクト1つで送る",
			"one JSON object with hash_algorithm SHA-256, digest (base64 of the 32 bytes of the document's SHA-256 " +
				"in both modes), signature_mode (bare-hash or digest-info), transaction_id, and either " +
				"sign_certificate_jwe or signature and certificate",
		},
		c.Sealed: {
			"", "", "結果は別のPF事業者の鍵で暗号化されている。クライアントのoperator_key_fileを見る",
			"the result is sealed to another operator's key: see operator_key_file of the client",
		},
		c.Mismatch: {
			"", "", "digestが署名した文書のものではないか、signature_modeがトランザクションの方式と違う",
			"the digest is not that of the signed document, or signature_mode is not the mode of the transaction",
		},
		c.Reused: {
			"", "", "1つの署名が証明するのは1つの取引。文書ごとに、ほかにない1行を入れる",
			"one signature proves one transaction: put a line that is unique to it into every document",
		},
		c.Unsupported: {
			"", "", "判定するのは、模擬の認証局の署名用電子証明書だけ",
			"only signing certificates of the simulated authorities are judged",
		},
		c.Expired: {
			"", "", "カードの署名用電子証明書の有効期限が切れている。利用者に更新をお願いする",
			"the card's signing certificate has expired: ask the person to have it renewed",
		},
		c.Revoked: {
			"", "", "カードの署名用電子証明書が失効している(転居のあとなど)。利用者に再発行をお願いする",
			"the card's signing certificate is revoked, after a move for example: ask the person to have it reissued",
		},
		c.Unavailable: {
			"", "", "同じIdempotency-Keyで、あとでもう一度送る",
			"ask again later with the same Idempotency-Key",
		},
	}
	if l, known := lessons[code]; known {
		i.Clause = clauseIn(l.clause, in)
		i.Advice = kakunin.Message{JA: l.changeJA, EN: l.changeEN}.In(in)
	}
}
