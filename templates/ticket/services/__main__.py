from services.box_office import BoxOffice
from services.chat import Chat
from services.mail import Mail
from services.payment import Payment
from services.server import serve

serve({"tickets": BoxOffice(), "payment": Payment(), "mail": Mail(), "chat": Chat()})
