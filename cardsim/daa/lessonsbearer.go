package daa

// bearerLessons are about what is asked with an access token: userinfo and the sign API.
var bearerLessons = map[string]lesson{
	"the access token belongs in the Authorization header": {
		"アクセストークンはAuthorizationヘッダーに入れてください", "RFC 6750, section 2.1",
		"Authorization: Bearerでアクセストークンを送り、ほかの場所に入れない",
		"send Authorization: Bearer with the access token, and nowhere else",
	},
	"the access token is missing, unknown, expired or revoked": {
		"アクセストークンがないか、不明か、期限切れか、失効しています", "RFC 6750, section 3.1",
		"最後のトークン応答のアクセストークンを送る。期限が切れたら取り直す",
		"send the access token of the last token response; get a new one when it has expired",
	},
	"userinfo is asked with the access token of a login, not with a service's own": {
		"userinfoには、サービス自身のトークンではなく、ログインのアクセストークンが必要です", "RFC 6750, section 3.1",
		"認可コードの交換で得たアクセストークンを送る",
		"send the access token of the code exchange",
	},
	"a transaction is started with a client_credentials token, not with a user's": {
		"トランザクションの開始には、利用者のトークンではなくclient_credentialsのトークンが必要です", "RFC 6750, section 3.1",
		"grant_type=client_credentialsでトークンを取得し、それで開始する",
		"get a token with grant_type=client_credentials and start the transaction with it",
	},
	"the Content-Type must be application/json": {
		"Content-Typeはapplication/jsonにしてください", "wire profile (assumed)",
		"Content-Type: application/jsonを送る",
		"send Content-Type: application/json",
	},
	"the body cannot be read or is too long": {
		"本文を読み取れないか、長すぎます", "wire profile (assumed)",
		"短いJSONオブジェクト1つを送る",
		"send one short JSON object",
	},
	"the body must be one JSON object with unique members": {
		"本文は、名前の重複しないJSONオブジェクト1つにしてください", "RFC 8259, section 4",
		"JSONオブジェクト1つを送り、メンバーはそれぞれ1回だけ書く",
		"send one JSON object and name each member once",
	},
	"no transaction of this client and person has this id": {
		"このクライアントと利用者のトランザクションに、このIDのものはありません", "wire profile (assumed)",
		"開始で返されたIDで、署名したログインのアクセストークンを使って取得する",
		"fetch under the id that the start answered, with the access token of the login that signed",
	},
	"the result is fetched with the access token of the login that had the sign scope": {
		"結果の取得には、scopeにsignがあるログインのアクセストークンが必要です", "RFC 6750, section 3.1",
		"署名のあとの認可コードの交換で得たアクセストークンを送る",
		"send the access token of the code exchange after signing",
	},
	"the transaction was cancelled or failed": {
		"トランザクションは中止されたか、失敗しました", "wire profile (assumed)",
		"新しいトランザクションと新しいログインを始める",
		"start a new transaction and a new login",
	},
	"the access token comes from another login than the one that signed": {
		"署名したログインとは別のログインのアクセストークンです", "wire profile (assumed)",
		"署名したログインのアクセストークンを送る",
		"send the access token of the login that signed",
	},
	"the transaction has expired": {
		"トランザクションの期限が切れました", "wire profile (assumed)",
		"新しいトランザクションを始める",
		"start a new transaction",
	},
	"the result was fetched before": {
		"結果は取得済みです", "wire profile (assumed)",
		"最初に取得した結果を保管する",
		"keep the result of the first answer",
	},
	"the person has not signed yet": {
		"利用者がまだ署名していません", "wire profile (assumed)",
		"Retry-Afterの秒数のあとで、もう一度取得する",
		"ask again after Retry-After seconds",
	},
}
