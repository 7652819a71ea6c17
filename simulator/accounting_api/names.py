"""Fields that ``where`` and ``order`` may name beside those of ``fields.py``: read from the record as it is shown."""

from simulator.books.words import Endpoint


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NAMES: dict[Endpoint, frozenset[str]] = {
    Endpoint.INVOICES: _words(
        """
        amountcredited amountdue amountpaid brandingthemeid cisdeduction cisrate contact contact.contactid
        contact.contactnumber contact.contactstatus contact.emailaddress contact.firstname contact.lastname
        contact.name currencycode currencyrate date duedate expectedpaymentdate fullypaidondate hasattachments
        invoiceid invoicenumber isdiscounted lineamounttypes plannedpaymentdate reference repeatinginvoiceid
        senttocontact status subtotal total totaldiscount totaltax type updateddateutc updateddateutcstring url
        """
    ),
    Endpoint.CONTACTS: _words(
        """
        accountnumber accountspayabletaxtype accountsreceivabletaxtype balances
        balances.accountspayable.outstanding balances.accountspayable.overdue
        balances.accountsreceivable.outstanding balances.accountsreceivable.overdue bankaccountdetails
        batchpayments brandingtheme companynumber contactid contactnumber contactstatus defaultcurrency discount
        emailaddress firstname hasattachments iscustomer issupplier lastname mergedtocontactid name paymentterms
        purchasesdefaultaccountcode purchasesdefaultlineamounttype salesdefaultaccountcode
        salesdefaultlineamounttype taxnumber taxnumbertype trackingcategoryname trackingcategoryoption
        updateddateutc website xeronetworkkey
        """
    ),
    Endpoint.CREDIT_NOTES: _words(
        """
        appliedamount brandingthemeid cisdeduction cisrate contact contact.contactid contact.contactnumber
        contact.contactstatus contact.emailaddress contact.firstname contact.lastname contact.name creditnoteid
        creditnotenumber currencycode currencyrate date duedate fullypaidondate hasattachments lineamounttypes
        reference remainingcredit senttocontact status subtotal total totaltax type updateddateutc
        updateddateutcstring
        """
    ),
    Endpoint.ACCOUNTS: _words(
        """
        accountid addtowatchlist bankaccountnumber bankaccounttype class code currencycode description
        enablepaymentstoaccount hasattachments name reportingcode reportingcodename showinexpenseclaims status
        systemaccount taxtype type updateddateutc
        """
    ),
    Endpoint.BANK_TRANSACTIONS: _words(
        """
        bankaccount bankaccount.accountid bankaccount.code bankaccount.currencycode bankaccount.name
        banktransactionid contact contact.contactid contact.contactnumber contact.contactstatus
        contact.emailaddress contact.firstname contact.lastname contact.name currencycode currencyrate date
        hasattachments isreconciled lineamounttypes overpaymentid prepaymentid reference status subtotal total
        totaltax type updateddateutc url
        """
    ),
    Endpoint.BANK_TRANSFERS: _words(
        """
        amount banktransferid createddateutc currencyrate date frombankaccount frombankaccount.accountid
        frombankaccount.code frombankaccount.currencycode frombankaccount.name frombanktransactionid
        fromisreconciled hasattachments reference status tobankaccount tobankaccount.accountid
        tobankaccount.code tobankaccount.currencycode tobankaccount.name tobanktransactionid toisreconciled
        """
    ),
    Endpoint.BATCH_PAYMENTS: _words(
        """
        account account.accountid account.code account.currencycode account.name amount batchpaymentid code date
        datestring details isreconciled narrative particulars reference status totalamount type updateddateutc
        """
    ),
    Endpoint.CONTACT_GROUPS: _words(
        """
        contactgroupid name status
        """
    ),
    Endpoint.CURRENCIES: _words(
        """
        code description
        """
    ),
    Endpoint.ITEMS: _words(
        """
        code description inventoryassetaccountcode ispurchased issold istrackedasinventory itemid name
        purchasedescription purchasedetails purchasedetails.accountcode purchasedetails.cogsaccountcode
        purchasedetails.taxtype purchasedetails.unitprice quantityonhand salesdetails salesdetails.accountcode
        salesdetails.cogsaccountcode salesdetails.taxtype salesdetails.unitprice totalcostpool updateddateutc
        """
    ),
    Endpoint.MANUAL_JOURNALS: _words(
        """
        date hasattachments lineamounttypes manualjournalid narration showoncashbasisreports status
        updateddateutc url
        """
    ),
    Endpoint.OVERPAYMENTS: _words(
        """
        appliedamount contact contact.contactid contact.contactnumber contact.contactstatus contact.emailaddress
        contact.firstname contact.lastname contact.name currencycode currencyrate date hasattachments id
        lineamounttypes overpaymentid reference remainingcredit status subtotal total totaltax type
        updateddateutc updateddateutcstring
        """
    ),
    Endpoint.PAYMENTS: _words(
        """
        account account.accountid account.code account.currencycode account.name amount bankaccountnumber
        bankamount batchpayment batchpayment.batchpaymentid batchpayment.status batchpayment.type batchpaymentid
        code creditnote creditnote.creditnoteid creditnote.creditnotenumber creditnotenumber currencyrate date
        details hasaccount invoice invoice.contact.contactid invoice.contact.name invoice.currencycode
        invoice.invoiceid invoice.invoicenumber invoice.type invoicenumber isreconciled overpayment
        overpayment.overpaymentid particulars paymentid paymenttype prepayment prepayment.prepaymentid reference
        status updateddateutc updateddateutcstring
        """
    ),
    Endpoint.PREPAYMENTS: _words(
        """
        appliedamount brandingthemeid contact contact.contactid contact.contactnumber contact.contactstatus
        contact.emailaddress contact.firstname contact.lastname contact.name currencycode currencyrate date
        hasattachments id invoicenumber lineamounttypes prepaymentid reference remainingcredit status subtotal
        total totaltax type updateddateutc updateddateutcstring
        """
    ),
    Endpoint.PURCHASE_ORDERS: _words(
        """
        attentionto brandingthemeid contact contact.contactid contact.contactnumber contact.contactstatus
        contact.emailaddress contact.firstname contact.lastname contact.name currencycode currencyrate date
        deliveryaddress deliverydate deliveryinstructions expectedarrivaldate hasattachments lineamounttypes
        purchaseorderid purchaseordernumber reference senttocontact status subtotal telephone total
        totaldiscount totaltax updateddateutc
        """
    ),
    Endpoint.QUOTES: _words(
        """
        brandingthemeid contact contact.contactid contact.contactnumber contact.contactstatus
        contact.emailaddress contact.firstname contact.lastname contact.name currencycode currencyrate date
        datestring expirydate expirydatestring lineamounttypes quoteid quotenumber reference status subtotal
        summary terms title total totaldiscount totaltax updateddateutc
        """
    ),
    Endpoint.REPEATING_INVOICES: _words(
        """
        approvedforsending brandingthemeid contact contact.contactid contact.contactnumber contact.contactstatus
        contact.emailaddress contact.firstname contact.lastname contact.name currencycode hasattachments id
        includepdf lineamounttypes markassent reference repeatinginvoiceid schedule schedule.duedate
        schedule.duedatetype schedule.enddate schedule.nextscheduleddate schedule.period schedule.startdate
        schedule.unit sendcopy status subtotal total totaltax type
        """
    ),
    Endpoint.TAX_RATES: _words(
        """
        canapplytoassets canapplytoequity canapplytoexpenses canapplytoliabilities canapplytorevenue
        displaytaxrate effectiverate name reporttaxtype status taxtype
        """
    ),
    Endpoint.TRACKING_CATEGORIES: _words(
        """
        name option status trackingcategoryid trackingoptionid
        """
    ),
    Endpoint.USERS: _words(
        """
        emailaddress firstname issubscriber lastname organisationrole updateddateutc userid
        """
    ),
}
"""Lower case, nested ones with dots; from the published OpenAPI's schemas, without lists."""
