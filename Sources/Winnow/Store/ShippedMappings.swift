import WinnowModel

extension FeedMapping {
    /// The mappings that come with Winnow, by name: facts of public documentation, said as mappings.
    public static let shipped: [Shipped] = [
        Shipped(
            name: "appmetrica-events",
            about: "AppMetrica Logs API, export of events (CSV or JSON)",
            example: "data/feeds/appmetrica-events.json",
            mapping: FeedMapping(json: appmetricaEvents)),
        Shipped(
            name: "appmetrica-installations",
            about: "AppMetrica Logs API, export of installations (CSV or JSON)",
            example: "data/feeds/appmetrica-installations.csv",
            mapping: FeedMapping(json: appmetricaInstallations)),
        Shipped(
            name: "sendgrid",
            about: "SendGrid Event Webhook (arrays of events)",
            example: "data/feeds/sendgrid.json",
            mapping: FeedMapping(json: sendgrid)),
        Shipped(
            name: "ses",
            about: "Amazon SES event publishing through Firehose",
            example: "data/feeds/ses.json",
            mapping: FeedMapping(json: ses)),
        Shipped(
            name: "mailgun",
            about: "Mailgun webhooks, one object a line",
            example: "data/feeds/mailgun.ndjson",
            mapping: FeedMapping(json: mailgun)),
        Shipped(
            name: "mailchimp-audience",
            about: "Mailchimp audience export, subscribed members (CSV)",
            example: "data/feeds/mailchimp-audience.csv",
            mapping: FeedMapping(json: mailchimpAudience)),
        Shipped(
            name: "listmonk-subscribers",
            about: "listmonk export of subscribers (CSV)",
            example: "data/feeds/listmonk-subscribers.csv",
            mapping: FeedMapping(json: listmonkSubscribers)),
        Shipped(
            name: "rees46-messages",
            about: "REES46 direct messaging, a row per message with a column per event (CSV)",
            example: "data/feeds/rees46-messages.csv",
            mapping: FeedMapping(json: rees46Messages)),
        Shipped(
            name: "altcraft-hooks",
            about: "Altcraft action hooks, one message a line",
            example: "data/feeds/altcraft-hooks.ndjson",
            mapping: FeedMapping(json: altcraftHooks)),
        Shipped(
            name: "links",
            about: "Clicks whose link attributes change the profile (update-FIELD, subscribe-to)",
            example: "data/feeds/links.ndjson",
            mapping: FeedMapping(json: links)),
    ]

    private static let appmetricaEvents = #"""
        {
          "comment": [
            "AppMetrica Logs API, resource events, fields as its reference lists them.",
            "Times are those of the *_timestamp columns, Unix seconds; *_datetime are in the time zone of",
            "the application. Ids are 64-bit numbers and kept as digits.",
            "The all-zero advertising id is that of devices whose owners opted out, and means none.",
            "Filters, further columns and goals: copy and change."
          ],
          "source": {"rows": "data", "nulls": ["00000000-0000-0000-0000-000000000000"]},
          "profile": {
            "match": "appmetrica_device_id",
            "mode": "upsert",
            "columns": {"appmetrica_device_id": "appmetrica_device_id"},
            "optional_columns": {
              "city": "city",
              "country": "country_iso_code",
              "os_name": "os_name",
              "device_model": "device_model",
              "app_version": "app_version_name"
            }
          },
          "subscriptions": [
            {
              "channel": {"value": "push"},
              "resource": {"value": "app"},
              "contact": "appmetrica_device_id",
              "provider": {"value": "appmetrica_device_id"},
              "status": {"value": "subscribed"},
              "if_exists": "keep",
              "for": "all"
            },
            {
              "channel": {"value": "push"},
              "resource": {"value": "app"},
              "contact": "ios_ifa",
              "provider": {"value": "appmetrica_ios_ifa"},
              "status": {"value": "subscribed"},
              "if_exists": "keep",
              "for": "all"
            },
            {
              "channel": {"value": "push"},
              "resource": {"value": "app"},
              "contact": "google_aid",
              "provider": {"value": "appmetrica_google_aid"},
              "status": {"value": "subscribed"},
              "if_exists": "keep",
              "for": "all"
            }
          ],
          "goals": [
            {
              "pixel": {"value": "appmetrica"},
              "goal": "event_name",
              "value": {"path": "event_json.value", "as": {"decimal": 4}},
              "time": {"path": "event_timestamp", "as": "seconds"},
              "anonymous": true
            }
          ]
        }
        """#

    private static let appmetricaInstallations = #"""
        {
          "comment": ["AppMetrica Logs API, resource installations; else as appmetrica-events."],
          "source": {"rows": "data", "nulls": ["00000000-0000-0000-0000-000000000000"]},
          "profile": {
            "match": "appmetrica_device_id",
            "mode": "upsert",
            "columns": {"appmetrica_device_id": "appmetrica_device_id"},
            "optional_columns": {
              "city": "city",
              "country": "country_iso_code",
              "os_name": "os_name",
              "device_model": "device_model",
              "app_version": "app_version_name"
            }
          },
          "subscriptions": [
            {
              "channel": {"value": "push"},
              "resource": {"value": "app"},
              "contact": "appmetrica_device_id",
              "provider": {"value": "appmetrica_device_id"},
              "status": {"value": "subscribed"},
              "if_exists": "keep",
              "for": "all"
            },
            {
              "channel": {"value": "push"},
              "resource": {"value": "app"},
              "contact": "ios_ifa",
              "provider": {"value": "appmetrica_ios_ifa"},
              "status": {"value": "subscribed"},
              "if_exists": "keep",
              "for": "all"
            },
            {
              "channel": {"value": "push"},
              "resource": {"value": "app"},
              "contact": "google_aid",
              "provider": {"value": "appmetrica_google_aid"},
              "status": {"value": "subscribed"},
              "if_exists": "keep",
              "for": "all"
            }
          ],
          "goals": [
            {
              "pixel": {"value": "appmetrica"},
              "goal": {"value": "install"},
              "time": {"path": "install_timestamp", "as": "seconds"},
              "anonymous": true
            }
          ]
        }
        """#

    private static let sendgrid = #"""
        {
          "comment": [
            "Twilio SendGrid, Event Webhook Reference (read in November 2026): arrays of events as they",
            "are posted, one behind the other.",
            "A bounce of type blocked is one that may succeed later: a soft one. Deferred events are no",
            "result yet, and are passed over; so are group_resubscribe.",
            "Messages of one sending have ids that begin alike and differ per recipient; sg_message_id is",
            "taken whole."
          ],
          "source": {"format": "json"},
          "profile": {"match": "email", "value": {"path": "email", "trim": true, "lower": true}, "mode": "insert"},
          "events": [
            {
              "where": [
                {
                  "path": "event",
                  "matches": [
                    "processed",
                    "delivered",
                    "open",
                    "click",
                    "spamreport",
                    "unsubscribe",
                    "group_unsubscribe",
                    "dropped"
                  ]
                }
              ],
              "channel": {"value": "email"},
              "event": {
                "path": "event",
                "map": {
                  "processed": "sent",
                  "delivered": "delivered",
                  "open": "opened",
                  "click": "clicked",
                  "spamreport": "complained",
                  "unsubscribe": "unsubscribe_clicked",
                  "group_unsubscribe": "unsubscribe_clicked",
                  "dropped": "suppressed"
                }
              },
              "time": {"path": "timestamp", "as": "seconds"},
              "link": "url",
              "campaign": {"first": ["singlesend_id", "marketing_campaign_id"]},
              "message": "sg_message_id",
              "machine": "sg_machine_open"
            },
            {
              "where": [{"path": "event", "matches": ["bounce"]}, {"path": "type", "matches": ["bounce"]}],
              "channel": {"value": "email"},
              "event": {"value": "hard_bounced"},
              "time": {"path": "timestamp", "as": "seconds"},
              "campaign": {"first": ["singlesend_id", "marketing_campaign_id"]},
              "message": "sg_message_id",
              "machine": "sg_machine_open"
            },
            {
              "where": [{"path": "event", "matches": ["bounce"]}, {"path": "type", "matches": ["blocked"]}],
              "channel": {"value": "email"},
              "event": {"value": "soft_bounced"},
              "time": {"path": "timestamp", "as": "seconds"},
              "campaign": {"first": ["singlesend_id", "marketing_campaign_id"]},
              "message": "sg_message_id",
              "machine": "sg_machine_open"
            }
          ]
        }
        """#

    private static let ses = #"""
        {
          "comment": [
            "Amazon SES, Contents of event data that Amazon SES publishes to Amazon Data Firehose (read",
            "in November 2026): its contents page says that a line break follows each record, readers of",
            "the delivered files report none: both are read.",
            "Each destination of a message gets the event. SES does not say which of several recipients",
            "opened or clicked; send to one at a time where that matters.",
            "The type is in eventType when events are published, and in notificationType in feedback",
            "notifications of Amazon SNS: change the paths for those. A bounce is hard when it is",
            "permanent.",
            "The campaign is the first value of the message tag campaign, where the sender sets one."
          ],
          "source": {"format": "json", "each": "mail.destination"},
          "profile": {"match": "email", "value": {"path": "item", "trim": true, "lower": true}, "mode": "insert"},
          "events": [
            {
              "where": [{"path": "eventType", "matches": ["Send"]}],
              "channel": {"value": "email"},
              "event": {"value": "sent"},
              "time": "mail.timestamp",
              "message": "mail.messageId",
              "campaign": "mail.tags.campaign.0"
            },
            {
              "where": [{"path": "eventType", "matches": ["Delivery"]}],
              "channel": {"value": "email"},
              "event": {"value": "delivered"},
              "time": "delivery.timestamp",
              "message": "mail.messageId",
              "campaign": "mail.tags.campaign.0"
            },
            {
              "where": [{"path": "eventType", "matches": ["Open"]}],
              "channel": {"value": "email"},
              "event": {"value": "opened"},
              "time": "open.timestamp",
              "message": "mail.messageId",
              "campaign": "mail.tags.campaign.0"
            },
            {
              "where": [{"path": "eventType", "matches": ["Click"]}],
              "channel": {"value": "email"},
              "event": {"value": "clicked"},
              "time": "click.timestamp",
              "link": "click.link",
              "message": "mail.messageId",
              "campaign": "mail.tags.campaign.0"
            },
            {
              "where": [{"path": "eventType", "matches": ["Complaint"]}],
              "channel": {"value": "email"},
              "event": {"value": "complained"},
              "time": "complaint.timestamp",
              "message": "mail.messageId",
              "campaign": "mail.tags.campaign.0"
            },
            {
              "where": [
                {"path": "eventType", "matches": ["Bounce"]},
                {"path": "bounce.bounceType", "matches": ["Permanent"]}
              ],
              "channel": {"value": "email"},
              "event": {"value": "hard_bounced"},
              "time": "bounce.timestamp",
              "message": "mail.messageId",
              "campaign": "mail.tags.campaign.0"
            },
            {
              "where": [
                {"path": "eventType", "matches": ["Bounce"]},
                {"path": "bounce.bounceType", "matches": ["Transient", "Undetermined"]}
              ],
              "channel": {"value": "email"},
              "event": {"value": "soft_bounced"},
              "time": "bounce.timestamp",
              "message": "mail.messageId",
              "campaign": "mail.tags.campaign.0"
            }
          ]
        }
        """#

    private static let mailgun = #"""
        {
          "comment": [
            "Mailgun, Webhook Payloads (read in November 2026): the bodies of webhooks, one a line. That",
            "page shows the inner object alone, which is in event-data beside the signature; the events",
            "API has it in items. For those leave event-data out of the paths.",
            "The campaign is the message's first tag. A failure is hard when its severity is permanent.",
            "client-info.bot names who opened or clicked in a person's place."
          ],
          "source": {"format": "ndjson"},
          "profile": {
            "match": "email",
            "value": {"path": "event-data.recipient", "trim": true, "lower": true},
            "mode": "insert"
          },
          "events": [
            {
              "where": [
                {
                  "path": "event-data.event",
                  "matches": ["accepted", "delivered", "opened", "clicked", "unsubscribed", "complained", "rejected"]
                }
              ],
              "channel": {"value": "email"},
              "event": {
                "path": "event-data.event",
                "map": {
                  "accepted": "sent",
                  "delivered": "delivered",
                  "opened": "opened",
                  "clicked": "clicked",
                  "unsubscribed": "unsubscribe_clicked",
                  "complained": "complained",
                  "rejected": "suppressed"
                }
              },
              "time": {"path": "event-data.timestamp", "as": "seconds"},
              "link": "event-data.url",
              "message": "event-data.message.headers.message-id",
              "campaign": "event-data.tags.0",
              "machine": {"path": "event-data.client-info.bot", "map": {}, "otherwise": "true"}
            },
            {
              "where": [
                {"path": "event-data.event", "matches": ["failed"]},
                {"path": "event-data.severity", "matches": ["permanent"]}
              ],
              "channel": {"value": "email"},
              "event": {"value": "hard_bounced"},
              "time": {"path": "event-data.timestamp", "as": "seconds"},
              "message": "event-data.message.headers.message-id",
              "campaign": "event-data.tags.0",
              "machine": {"path": "event-data.client-info.bot", "map": {}, "otherwise": "true"}
            },
            {
              "where": [
                {"path": "event-data.event", "matches": ["failed"]},
                {"path": "event-data.severity", "matches": ["temporary"]}
              ],
              "channel": {"value": "email"},
              "event": {"value": "soft_bounced"},
              "time": {"path": "event-data.timestamp", "as": "seconds"},
              "message": "event-data.message.headers.message-id",
              "campaign": "event-data.tags.0",
              "machine": {"path": "event-data.client-info.bot", "map": {}, "otherwise": "true"}
            }
          ]
        }
        """#

    private static let mailchimpAudience = #"""
        {
          "comment": [
            "Mailchimp, the file of subscribed members of an audience export; its columns as exports have",
            "them. For the files of unsubscribed and cleaned contacts copy this and change the status.",
            "Tags are a list in one cell, each in quotes. Times are those of the export, in UTC. Fields",
            "that the store does not have are passed over."
          ],
          "source": {"format": "csv", "timezone": "UTC"},
          "profile": {
            "match": "email",
            "value": {"path": "Email Address", "trim": true, "lower": true},
            "mode": "upsert",
            "columns": {"email": {"path": "Email Address", "trim": true, "lower": true}},
            "optional_columns": {
              "first_name": "First Name",
              "last_name": "Last Name",
              "tags": {"path": "TAGS", "split": ","},
              "rating": "MEMBER_RATING",
              "country": "CC",
              "region": "REGION",
              "notes": "NOTES"
            }
          },
          "subscriptions": [
            {
              "channel": {"value": "email"},
              "resource": {"value": "mailchimp"},
              "status": {"value": "subscribed"},
              "contact": {"path": "Email Address", "trim": true, "lower": true},
              "time": {"first": ["CONFIRM_TIME", "OPTIN_TIME"], "as": "datetime"},
              "if_exists": "newer"
            }
          ]
        }
        """#

    private static let listmonkSubscribers = #"""
        {
          "comment": [
            "listmonk, export of subscribers, as the export writes them: uuid, email, name, attributes as",
            "JSON in a cell, status, created_at, updated_at.",
            "Attributes that are fields of the store are stored as these, others are passed over. A",
            "blocklisted subscriber gets nothing any more: status unsubscribed. Disabled ones are",
            "suspended."
          ],
          "source": {"format": "csv"},
          "profile": {
            "match": "email",
            "value": {"path": "email", "trim": true, "lower": true},
            "mode": "upsert",
            "columns": {"id": "uuid", "email": {"path": "email", "trim": true, "lower": true}},
            "optional_columns": {"name": "name"},
            "columns_from": {"path": "attributes", "unknown": "skip"}
          },
          "subscriptions": [
            {
              "channel": {"value": "email"},
              "resource": {"value": "listmonk"},
              "status": {
                "path": "status",
                "map": {"enabled": "subscribed", "disabled": "suspended", "blocklisted": "unsubscribed"},
                "otherwise": "unconfirmed"
              },
              "contact": {"path": "email", "trim": true, "lower": true},
              "time": {"path": "updated_at", "as": "datetime"},
              "if_exists": "newer"
            }
          ]
        }
        """#

    private static let rees46Messages = #"""
        {
          "comment": [
            "REES46, data set of direct messaging campaigns: wide rows, with a time column per event,",
            "empty where it did not happen.",
            "Campaign ids are unique only with the type of the message. Mobile and web push are both push",
            "here. Bounces exist for e-mail. Times have no zone: UTC."
          ],
          "source": {"format": "csv", "timezone": "UTC"},
          "profile": {"match": "id", "value": "client_id", "mode": "upsert", "columns": {"id": "client_id"}},
          "events": [
            {
              "where": [{"path": "channel", "matches": ["email", "mobile_push", "web_push", "sms"]}],
              "channel": {
                "path": "channel",
                "map": {"email": "email", "mobile_push": "push", "web_push": "push", "sms": "sms"}
              },
              "event": {"value": "sent"},
              "time": "sent_at",
              "campaign": {"join": ["message_type", "campaign_id"], "with": "-"},
              "message": "message_id"
            },
            {
              "where": [{"path": "channel", "matches": ["email", "mobile_push", "web_push", "sms"]}],
              "channel": {
                "path": "channel",
                "map": {"email": "email", "mobile_push": "push", "web_push": "push", "sms": "sms"}
              },
              "event": {"value": "opened"},
              "time": "opened_first_time_at",
              "campaign": {"join": ["message_type", "campaign_id"], "with": "-"},
              "message": "message_id"
            },
            {
              "where": [{"path": "channel", "matches": ["email", "mobile_push", "web_push", "sms"]}],
              "channel": {
                "path": "channel",
                "map": {"email": "email", "mobile_push": "push", "web_push": "push", "sms": "sms"}
              },
              "event": {"value": "clicked"},
              "time": "clicked_first_time_at",
              "campaign": {"join": ["message_type", "campaign_id"], "with": "-"},
              "message": "message_id"
            },
            {
              "where": [{"path": "channel", "matches": ["email", "mobile_push", "web_push", "sms"]}],
              "channel": {
                "path": "channel",
                "map": {"email": "email", "mobile_push": "push", "web_push": "push", "sms": "sms"}
              },
              "event": {"value": "unsubscribe_clicked"},
              "time": "unsubscribed_at",
              "campaign": {"join": ["message_type", "campaign_id"], "with": "-"},
              "message": "message_id"
            },
            {
              "where": [{"path": "channel", "matches": ["email"]}],
              "channel": {"value": "email"},
              "event": {"value": "hard_bounced"},
              "time": "hard_bounced_at",
              "campaign": {"join": ["message_type", "campaign_id"], "with": "-"},
              "message": "message_id"
            },
            {
              "where": [{"path": "channel", "matches": ["email"]}],
              "channel": {"value": "email"},
              "event": {"value": "soft_bounced"},
              "time": "soft_bounced_at",
              "campaign": {"join": ["message_type", "campaign_id"], "with": "-"},
              "message": "message_id"
            },
            {
              "where": [{"path": "channel", "matches": ["email"]}],
              "channel": {"value": "email"},
              "event": {"value": "complained"},
              "time": "complained_at",
              "campaign": {"join": ["message_type", "campaign_id"], "with": "-"},
              "message": "message_id"
            }
          ],
          "goals": [
            {
              "where": [{"path": "is_purchased", "matches": ["t", "true", "1"]}],
              "pixel": {"value": "rees46"},
              "goal": {"value": "purchase"},
              "time": "purchased_at"
            }
          ]
        }
        """#

    private static let altcraftHooks = #"""
        {
          "comment": [
            "Altcraft, action hooks (event_type and event_data of its documentation): messages as they",
            "come, one a line.",
            "Tokens of unique opens and clicks (uopen, uclick …) are passed over, since unique events are",
            "derived here. deliv_push is the token by the pattern of the others; the public list ends",
            "before it.",
            "message_id is the template, send_message_id the message. Rows of test sendings (is_test) are",
            "passed over."
          ],
          "source": {"format": "ndjson"},
          "where": [
            {"path": "is_test", "matches": ["false", "0"]},
            {
              "path": "event_type",
              "matches": [
                "send",
                "deliv",
                "open",
                "read",
                "click",
                "unsub",
                "undeliv",
                "sbounce",
                "hbounce",
                "complain",
                "suppress",
                "glanced",
                "skimmed",
                "reply",
                "confirm",
                "confirmsub",
                "send_sms",
                "deliv_sms",
                "click_sms",
                "unsub_sms",
                "undeliv_sms",
                "send_push",
                "deliv_push",
                "open_push",
                "click_push"
              ]
            }
          ],
          "profile": {"match": "id", "value": "profile_id", "mode": "upsert", "columns": {"id": "profile_id"}},
          "events": [
            {
              "channel": {
                "path": "event_type",
                "map": {
                  "send": "email",
                  "deliv": "email",
                  "open": "email",
                  "read": "email",
                  "click": "email",
                  "unsub": "email",
                  "undeliv": "email",
                  "sbounce": "email",
                  "hbounce": "email",
                  "complain": "email",
                  "suppress": "email",
                  "glanced": "email",
                  "skimmed": "email",
                  "reply": "email",
                  "confirm": "email",
                  "confirmsub": "email",
                  "send_sms": "sms",
                  "deliv_sms": "sms",
                  "click_sms": "sms",
                  "unsub_sms": "sms",
                  "undeliv_sms": "sms",
                  "send_push": "push",
                  "deliv_push": "push",
                  "open_push": "push",
                  "click_push": "push"
                }
              },
              "event": {
                "path": "event_type",
                "map": {
                  "send": "sent",
                  "deliv": "delivered",
                  "open": "opened",
                  "read": "read",
                  "click": "clicked",
                  "unsub": "unsubscribe_clicked",
                  "undeliv": "undelivered",
                  "sbounce": "soft_bounced",
                  "hbounce": "hard_bounced",
                  "complain": "complained",
                  "suppress": "suppressed",
                  "glanced": "glanced",
                  "skimmed": "skimmed",
                  "reply": "replied",
                  "confirm": "confirm_clicked",
                  "confirmsub": "subscription_confirmed",
                  "send_sms": "sent",
                  "deliv_sms": "delivered",
                  "click_sms": "clicked",
                  "unsub_sms": "unsubscribe_clicked",
                  "undeliv_sms": "undelivered",
                  "send_push": "sent",
                  "deliv_push": "delivered",
                  "open_push": "opened",
                  "click_push": "clicked"
                }
              },
              "time": "event_date",
              "campaign": "event_data.campaign_id",
              "template": "event_data.message_id",
              "link": "event_data.link_url",
              "message": "event_data.send_message_id"
            }
          ]
        }
        """#

    private static let links = #"""
        {
          "comment": [
            "Clicks with the attributes of their links, as e-mail platforms write them: update-FIELD sets",
            "a field, subscribe-to subscribes to a resource, in the same commit as the click."
          ],
          "source": {"format": "ndjson"},
          "profile": {
            "match": "id",
            "value": "profile",
            "mode": "update",
            "columns_from": {"path": "attributes", "prefix": "update-"}
          },
          "events": [
            {
              "channel": {"first": ["channel", {"value": "email"}]},
              "event": {"value": "clicked"},
              "time": {"path": "time", "as": "datetime"},
              "campaign": "campaign",
              "link": "link",
              "message": "message"
            }
          ],
          "subscriptions": [
            {
              "where": [{"path": "attributes.subscribe-to", "matches": ["*"]}],
              "channel": {"first": ["channel", {"value": "email"}]},
              "resource": "attributes.subscribe-to",
              "status": {"value": "subscribed"},
              "time": {"path": "time", "as": "datetime"},
              "if_exists": "newer"
            }
          ]
        }
        """#
}
