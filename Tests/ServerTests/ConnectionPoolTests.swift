import Testing

@testable import PDFleet
@testable import PDServer

@Suite("Connections of all ports")
struct ConnectionPoolTests {
    @Test(
        "all ports at once never take more files than there are",
        arguments: [1024, 4096, 20_000, 65_536], [1, 2, 3, 8])
    func fits(files: Int, ports: Int) {
        let pool = ConnectionPool(files: files, ports: ports)
        var all = (0..<ports).map { _ in PortConnections(pool: pool, maximum: 22_500) }
        var open: [Int] = []
        for index in all.indices {
            var own = 0
            while all[index].isAcceptingNewConnections() {
                all[index].connectionOpened()
                own += 1
            }
            open.append(own)
        }
        #expect(open.reduce(0, +) <= files - 256)
        // The last port has its share although the others took what there was.
        #expect(open.allSatisfy { $0 >= ConnectionPool.portShare })
    }

    @Test("one port may have nearly all, and comes back when one of its own has ended")
    func onePort() {
        let pool = ConnectionPool(files: 20_000, ports: 2)
        var (first, second) = (
            PortConnections(pool: pool, maximum: 22_500), PortConnections(pool: pool, maximum: 10)
        )
        var open = 0
        while first.isAcceptingNewConnections() {
            first.connectionOpened()
            open += 1
        }
        #expect((19_000..<20_000).contains(open) && pool.isFull && pool.isCrowded && pool.served > 17_000)
        var own = 0
        while second.isAcceptingNewConnections() {
            second.connectionOpened()
            own += 1
        }
        #expect(own == 10)
        for _ in 0..<11 { first.connectionClosed() }
        #expect(first.isAcceptingNewConnections())
        #expect(ConnectionPool.raisedFileLimit() > 0)
    }
}
