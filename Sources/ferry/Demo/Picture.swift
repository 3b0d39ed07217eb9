/// Small pictures of the demo's own making: symmetrical patterns as PNG.
enum Picture {
    /// A pattern of 5 by 5 fields in one colour on white, `side` fields of `scale` pixels; PNG with a palette of two
    /// colours (ISO/IEC 15948), its pixels in stored deflate blocks.
    static func identicon(_ dice: inout Dice, scale: Int = 8) -> [UInt8] {
        let colour = (0..<3).map { _ in UInt8(dice.number(40...200)) }
        let half = (0..<15).map { _ in dice.chance(50) }
        let side = 5 * scale
        var rows: [UInt8] = []
        for y in 0..<side {
            rows.append(0)
            var byte: UInt8 = 0
            for x in 0..<side {
                let column = x / scale
                let isSet = half[y / scale * 3 + min(column, 4 - column)]
                byte = byte << 1 | (isSet ? 1 : 0)
                if x % 8 == 7 {
                    rows.append(byte)
                    byte = 0
                }
            }
            if side % 8 != 0 { rows.append(byte << UInt8(8 - side % 8)) }
        }
        var png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        png += chunk("IHDR", bigEndian(UInt32(side)) + bigEndian(UInt32(side)) + [1, 3, 0, 0, 0])
        png += chunk("PLTE", [255, 255, 255] + colour)
        png += chunk("IDAT", zlib(rows))
        png += chunk("IEND", [])
        return png
    }

    private static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
        let body = Array(type.utf8) + data
        return bigEndian(UInt32(data.count)) + body + bigEndian(crc32(body))
    }

    private static func bigEndian(_ word: UInt32) -> [UInt8] {
        [UInt8(word >> 24), UInt8(word >> 16 & 255), UInt8(word >> 8 & 255), UInt8(word & 255)]
    }

    /// The zlib form (RFC 1950) of data that is not compressed (RFC 1951 section 3.2.4).
    private static func zlib(_ data: [UInt8]) -> [UInt8] {
        var output: [UInt8] = [0x78, 0x01]
        var start = 0
        repeat {
            let end = min(start + 65535, data.count)
            let length = UInt16(end - start)
            output.append(end == data.count ? 1 : 0)
            output += [UInt8(length & 255), UInt8(length >> 8), UInt8(~length & 255), UInt8(~length >> 8)]
            output += data[start..<end]
            start = end
        } while start < data.count
        var (low, high): (UInt32, UInt32) = (1, 0)
        for byte in data {
            low = (low + UInt32(byte)) % 65521
            high = (high + low) % 65521
        }
        return output + bigEndian(high << 16 | low)
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var sum: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
        return ~sum
    }
}
