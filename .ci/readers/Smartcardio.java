import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.io.ByteArrayInputStream;
import java.util.Arrays;
import java.util.HexFormat;
import javax.smartcardio.Card;
import javax.smartcardio.CardChannel;
import javax.smartcardio.CommandAPDU;
import javax.smartcardio.ResponseAPDU;
import javax.smartcardio.TerminalFactory;

/**
 * A third PC/SC stack: Java's smartcardio takes the card exclusively, reads the authentication certificate with one extended
 * READ BINARY, signs a DigestInfo, and Java's own cryptography verifies the signature with the certificate's key.
 *
 * Usage: java Smartcardio.java READER-INDEX
 */
class Smartcardio {
  private static final HexFormat HEX = HexFormat.of();
  private static CardChannel channel;

  private static byte[] send(int expected, String... hex) throws Exception {
    ResponseAPDU response = channel.transmit(new CommandAPDU(HEX.parseHex(String.join("", hex))));
    if (response.getSW() != expected) {
      throw new AssertionError(String.format("%s answers %04X, not %04X", hex[0].substring(0, 8), response.getSW(), expected));
    }
    return response.getData();
  }

  public static void main(String[] arguments) throws Exception {
    Card card = TerminalFactory.getDefault().terminals().list().get(Integer.parseInt(arguments[0])).connect("*");
    card.beginExclusive();
    try {
      channel = card.getBasicChannel();
      send(0x9000, "00A4040C0AD392F000260100000001");
      send(0x9000, "00A4020C02000A");
      byte[] head = send(0x9000, "00B0000004");
      int total = 4 + HexFormat.fromHexDigits(HEX.formatHex(head, 2, 4));
      byte[] der = send(0x9000, "00B0000000" + String.format("%04X", total));
      X509Certificate certificate =
          (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));

      byte[] message = "a document to sign".getBytes("UTF-8");
      byte[] digest = java.security.MessageDigest.getInstance("SHA-256").digest(message);
      String digestInfo = "3031300d060960864801650304020105000420" + HEX.formatHex(digest);
      send(0x6982, "802A009733", digestInfo, "00");
      send(0x9000, "0020009804", HEX.formatHex("1234".getBytes("US-ASCII")));
      byte[] value = send(0x9000, "802A009733", digestInfo, "00");
      if (Arrays.equals(value, send(0x9000, "802A009720", HEX.formatHex(digest), "00"))) {
        throw new AssertionError("a bare hash must give another signature than a DigestInfo");
      }
      Signature verifier = Signature.getInstance("SHA256withRSA");
      verifier.initVerify(certificate.getPublicKey());
      verifier.update(message);
      if (!verifier.verify(value)) {
        throw new AssertionError("Java does not accept the card's signature");
      }
      System.out.println("smartcardio: all checks passed");
    } finally {
      card.endExclusive();
      card.disconnect(true);
    }
  }
}
